/** What can end a channel or a connection, with the close code the other side is told. */

/** Registered WebSocket close codes, and ours for what has none. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocol: 1002,
  tooLarge: 1009,
  internal: 1011,
  /** Nobody said it: the connection under a channel was lost, here or further on. */
  cut: 1006,
  dead: 4000,
  tooMany: 4429,
} as const;

/** How a channel or a connection ended. A channel whose connection ended under it has the code `cut`: nobody closed it. */
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

/** What the other side is told of anything that was thrown at its words. */
export function asMuxError(error: unknown): MuxError {
  return error instanceof MuxError ? error : new MuxError(CLOSE.internal, String(error));
}
