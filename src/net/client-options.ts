/** What a WebSocket of ours takes from the server that it dials: frames of the multiplexer, and none of the protocol's extras. */

export const CLIENT_OPTIONS = {
  perMessageDeflate: false,
  /** There are no texts. */
  skipUTF8Validation: true,
  /** Bytes: frames are far smaller. */
  maxPayload: 1_048_576 + 1_024,
  maxFragments: 64,
  maxBufferedChunks: 4_096,
} as const;
