/** What the agent and its program inside a container's network say on a channel, which is one connection. */

/** Connections that one helper container carries at a time. */
export const MAX_CONNECTIONS = 512;
/** The first byte of each message: the rest is what the connection carries, or nothing more comes in this direction. */
export const TAG = { bytes: 0, end: 1 } as const;
/** Why a channel is closed, beside CLOSE.normal: the connection is over, or whoever closes it has let go of it. */
export const CODE = {
  /** It was reset. */
  reset: 4001,
  /** It was not made; the reason is the system's code of the attempt that says most. */
  failed: 4002,
} as const;

/** Opens the channel. There is no host in it: the program dials its own network only. */
export interface GuestRequest {
  port: number;
  /** Milliseconds for the whole dial, all addresses together. */
  timeout: number;
}

/** The program's first word, once it is connected. */
export interface GuestReply {
  /** As which it reached the container. */
  address: string;
}

export function encode(message: GuestRequest | GuestReply): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

/** Throws for anything else. */
export function requestIn(bytes: Uint8Array): GuestRequest {
  const { port, timeout } = parse(bytes);
  if (!isCount(port) || port > 65_535 || !isCount(timeout)) throw new Error("not a request to dial");
  return { port, timeout };
}

export function replyIn(bytes: Uint8Array): GuestReply {
  return { address: String(parse(bytes)["address"]) };
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}
