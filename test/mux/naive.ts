/** The frame format once more, written for reading and not for speed: what the real codec is compared with. */

import type { Frame, GoAway } from "../../src/mux/frame.ts";

const NAMES = ["hello", "open", "data", "credit", "ack", "reply", "close", "ping", "pong", "goAway"] as const;

/** Undefined for anything that SPEC.md does not allow. */
export function naiveDecode(bytes: number[]): Frame | undefined {
  if (bytes.length < 5) return undefined;
  const [code = 0, ...rest] = bytes;
  const channel = number(rest.slice(0, 4));
  const payload = rest.slice(4);
  const type = code === 0x8a ? "farewell" : NAMES[code];
  if (type === undefined) return code >= 128 && payload.length <= 262_144 ? { type: "skipped" } : undefined;
  if (type === "data" ? payload.length > 131_072 : payload.length > 262_144) return undefined;
  const connection = type === "hello" || type === "ping" || type === "pong" || type === "goAway";
  if (connection !== (channel === 0)) return undefined;
  return naivePayload(type, channel, payload);
}

function naivePayload(
  type: (typeof NAMES)[number] | "farewell",
  channel: number,
  payload: number[],
): Frame | undefined {
  switch (type) {
    case "data":
      return payload.length === 0 ? undefined : { type, channel, message: Uint8Array.from(payload) };
    case "reply":
      return { type, channel, message: Uint8Array.from(payload) };
    case "credit":
    case "ack": {
      const offset = offsetOf(payload);
      return offset === undefined ? undefined : { type, channel, offset };
    }
    case "ping":
    case "pong": {
      const stamp = offsetOf(payload);
      return stamp === undefined ? undefined : { type, stamp };
    }
    case "open": {
      const length = number(payload.slice(0, 4));
      if (payload.length < 4 || length > payload.length - 4) return undefined;
      const [header, body] = [payload.slice(4, 4 + length), payload.slice(4 + length)];
      return { type, channel, header: Uint8Array.from(header), body: Uint8Array.from(body) };
    }
    case "close": {
      if (payload.length < 2 || payload.length > 1026) return undefined;
      const reason = Buffer.from(payload.slice(2)).toString("utf8");
      // A text decoder drops a leading byte order mark.
      return { type, channel, code: number(payload.slice(0, 2)), reason: reason.replace(/^\uFEFF/, "") };
    }
    case "hello":
      return naiveHello(object(payload));
    case "goAway":
    case "farewell": {
      const goAway = naiveGoAway(object(payload));
      if (!goAway) return undefined;
      return type === "goAway" ? { type, goAway } : { type, channel, goAway };
    }
  }
}

function naiveHello(value: Record<string, unknown> | undefined): Frame | undefined {
  if (!value) return undefined;
  const { version, min, channels, software } = value;
  if (!positive(version) || !positive(min) || !positive(channels) || min > version) return undefined;
  const name = typeof software === "string" ? software.slice(0, 200) : "";
  return { type: "hello", hello: { version, min, channels, software: name } };
}

function naiveGoAway(value: Record<string, unknown> | undefined): GoAway | undefined {
  if (!value) return undefined;
  const { code, reason, deadline } = value;
  if (!positive(code) || typeof reason !== "string" || !Number.isFinite(deadline)) return undefined;
  return { code, reason: reason.slice(0, 1024), deadline: Number(deadline) };
}

function number(bytes: number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

function offsetOf(payload: number[]): number | undefined {
  if (payload.length !== 8) return undefined;
  const value = payload.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return value < 2n ** 53n ? Number(value) : undefined;
}

function object(payload: number[]): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(payload)));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function positive(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}
