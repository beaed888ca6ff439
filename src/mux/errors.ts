/** What can end a channel or a connection, with the close code the other side is told. */

/** Registered WebSocket close codes, and ours for a dead peer. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocol: 1002,
  tooLarge: 1009,
  internal: 1011,
  dead: 4000,
} as const;

/** How a channel or a connection ended. A channel whose connection ended under it has code 1006: nobody closed it. */
export interface CloseInfo {
  code: number;
  reason: string;
}

export class MuxError extends Error {
  override readonly name = "MuxError";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The peer did something that SPEC.md forbids; the connection ends with it. */
export function violation(message: string): MuxError {
  return new MuxError(CLOSE.protocol, message);
}
