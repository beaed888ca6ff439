/** How the bytes of one TCP connection lie in the messages of a WebSocket, by subprotocol. */

import { FairleadError } from "../../protocol/errors.ts";
import { CHANNEL, messageOn, V4, V5 } from "../../protocol/remote-command.ts";

/** The conventional name of a WebSocket that carries bytes and nothing else. */
export const RAW = "binary";

const DATA = 0;
const FAILURE = 1;

export interface Framing {
  /** What is said first. */
  readonly greeting: Uint8Array[];
  wrap(bytes: Uint8Array): Uint8Array;
  /** What a message means; undefined is nothing. Throws `protocol-error`. */
  unwrap(message: Uint8Array): Uint8Array | "end" | undefined;
  /** Why the connection broke, for those protocols that have words for it. */
  broken(words: string): Uint8Array | undefined;
}

/** Message borders mean nothing. Either end closes the WebSocket to end the connection. */
const BYTES: Framing = {
  greeting: [],
  wrap: (bytes) => bytes,
  unwrap: (message) => (message.length > 0 ? message : undefined),
  broken: () => undefined,
};

export function framingOf(protocol: string, port: number): Framing {
  return protocol === V4 || protocol === V5 ? channels(protocol, port) : BYTES;
}

/** Kubernetes' port forward with one port: its bytes on channel 0, words about its failure on channel 1. */
function channels(protocol: string, port: number): Framing {
  const number = Uint8Array.of(port & 255, port >> 8);
  return {
    greeting: [messageOn(DATA, number), messageOn(FAILURE, number)],
    wrap: (bytes) => messageOn(DATA, bytes),
    unwrap: (message) => {
      const bytes = message.subarray(1);
      if (message[0] === DATA) return bytes.length > 0 ? bytes : undefined;
      if (message[0] !== CHANNEL.close || protocol !== V5) return undefined;
      if (bytes.length === 1 && (bytes[0] === DATA || bytes[0] === FAILURE))
        return bytes[0] === DATA ? "end" : undefined;
      throw new FairleadError("protocol-error", "A close message names channel 0 or 1.");
    },
    broken: (words) => messageOn(FAILURE, Buffer.from(words)),
  };
}
