/** What is said inside a session: one byte of tag and a payload. `docs/protocol.md` has the table. */

import * as z from "zod/mini";
import { FairleadError, Problem } from "./errors.ts";
import { json } from "./json.ts";
import { LogCursor } from "./open.ts";

/** Tags below 2 belong to the sequence itself. With the top bit set a reader that does not know the tag skips the packet. */
export const TAG = {
  stdin: 0x02,
  stdout: 0x03,
  stderr: 0x04,
  end: 0x05,
  resize: 0x06,
  signal: 0x07,
  exit: 0x08,
  error: 0x09,
  reset: 0x0a,
  gap: 0x8b,
  cursor: 0x8c,
  digest: 0x8d,
} as const;

const MAY_SKIP = 0x80;

export const SIGNALS = ["HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "TSTP", "WINCH"] as const;
export type SignalName = (typeof SIGNALS)[number];

const ExitStatus = z.union([z.object({ code: z.int() }), z.object({ unknown: z.string() })]);
export type ExitStatus = z.infer<typeof ExitStatus>;

/** What is missing between two packets: so many bytes, or everything between two times. */
const Gap = z.object({
  bytes: z.optional(z.number()),
  from: z.optional(z.string()),
  to: z.optional(z.string()),
  why: z.string(),
});
export type Gap = z.infer<typeof Gap>;

/** All bytes that the agent moved for a copy, as it saw them; hashed in the way that was asked for. */
const Digest = z.union([
  z.object({ bytes: z.number(), sha256: z.string() }),
  z.object({ bytes: z.number(), gmac: z.string() }),
]);
export type Digest = z.infer<typeof Digest>;

export type Packet =
  | { type: "stdin" | "stdout" | "stderr"; bytes: Uint8Array }
  /** No more bytes in this direction. */
  | { type: "end" }
  | { type: "resize"; cols: number; rows: number }
  | { type: "signal"; name: SignalName }
  /** The last packet of a session that ended by itself. */
  | { type: "exit"; status: ExitStatus }
  /** The last packet of a session that was ended. */
  | { type: "error"; problem: Problem }
  /** The TCP connection was reset. */
  | { type: "reset" }
  | { type: "gap"; gap: Gap }
  | { type: "cursor"; cursor: LogCursor }
  | { type: "digest"; digest: Digest };

const utf8 = new TextEncoder();
const text = new TextDecoder();
const nothing = new Uint8Array(0);

/** Tag and payload; the bytes of a data packet are not copied. */
export function encodePacket(packet: Packet): { tag: number; payload: Uint8Array } {
  const tag = TAG[packet.type];
  switch (packet.type) {
    case "stdin":
    case "stdout":
    case "stderr":
      return { tag, payload: packet.bytes };
    case "end":
    case "reset":
      return { tag, payload: nothing };
    case "resize":
      return { tag, payload: Uint8Array.of(packet.cols >> 8, packet.cols & 255, packet.rows >> 8, packet.rows & 255) };
    case "signal":
      return { tag, payload: utf8.encode(packet.name) };
    case "exit":
      return { tag, payload: json(packet.status) };
    case "error":
      return { tag, payload: json(packet.problem) };
    case "gap":
      return { tag, payload: json(packet.gap) };
    case "cursor":
      return { tag, payload: json(packet.cursor) };
    case "digest":
      return { tag, payload: json(packet.digest) };
  }
}

/** `undefined` for a packet of a newer version that may be skipped; throws `protocol-error` for anything malformed. */
export function decodePacket(tag: number, payload: Uint8Array): Packet | undefined {
  switch (tag) {
    case TAG.stdin:
      return { type: "stdin", bytes: payload };
    case TAG.stdout:
      return { type: "stdout", bytes: payload };
    case TAG.stderr:
      return { type: "stderr", bytes: payload };
    case TAG.end:
      return empty(payload, { type: "end" });
    case TAG.reset:
      return empty(payload, { type: "reset" });
    case TAG.resize:
      return decodeResize(payload);
    case TAG.signal:
      return decodeSignal(payload);
    case TAG.exit:
      return { type: "exit", status: parse(ExitStatus, payload, "exit") };
    case TAG.error:
      return { type: "error", problem: parse(Problem, payload, "error") };
    case TAG.gap:
      return { type: "gap", gap: parse(Gap, payload, "gap") };
    case TAG.cursor:
      return { type: "cursor", cursor: parse(LogCursor, payload, "cursor") };
    case TAG.digest:
      return { type: "digest", digest: parse(Digest, payload, "digest") };
    default:
      if (tag & MAY_SKIP) return undefined;
      throw new FairleadError("protocol-error", `Packet tag ${tag} is unknown and must be understood.`);
  }
}

/** Longest JSON payload in a packet: bounds what a hostile peer makes us parse. */
const MAX_JSON = 65_536;

function parse<T>(schema: z.ZodMiniType<T>, payload: Uint8Array, what: string): T {
  if (payload.length <= MAX_JSON) {
    try {
      return schema.parse(JSON.parse(text.decode(payload)));
    } catch {
      // Told below: the cause may quote the payload, which is not ours to print.
    }
  }
  throw new FairleadError("protocol-error", `Malformed ${what} packet.`);
}

function empty(payload: Uint8Array, packet: Packet): Packet {
  if (payload.length !== 0) throw new FairleadError("protocol-error", `A ${packet.type} packet carries no payload.`);
  return packet;
}

function decodeResize(payload: Uint8Array): Packet {
  const [a = 0, b = 0, c = 0, d = 0] = payload;
  const cols = a * 256 + b;
  const rows = c * 256 + d;
  if (payload.length !== 4 || cols < 1 || rows < 1 || cols > 1000 || rows > 1000)
    throw new FairleadError("protocol-error", "A resize packet is two numbers from 1 to 1000.");
  return { type: "resize", cols, rows };
}

function decodeSignal(payload: Uint8Array): Packet {
  const name = SIGNALS.find((known) => known === text.decode(payload));
  if (!name) throw new FairleadError("protocol-error", `A signal packet names one of ${SIGNALS.join(" ")}.`);
  return { type: "signal", name };
}
