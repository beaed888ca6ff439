/** The bytes of a frame: one per WebSocket message. Nothing else knows offsets; SPEC.md has the table. */

import { violation } from "./errors.ts";

export const VERSION = 1;
export const MIN_VERSION = 1;

/** type (1), channel (4, big endian). */
export const HEADER_BYTES = 5;
/** Longest message in a data frame; a longer one is a violation. */
export const MAX_MESSAGE_BYTES = 131_072;
/** Longest payload of any other frame. An OPEN carries an exec's arguments and environment. */
export const MAX_CONTROL_BYTES = 262_144;
/** Longest payload of a sequence's packet; a longer one goes in pieces. */
export const MAX_PIECE_BYTES = 122_880;
/** What a channel may send before it heard of more, in bytes. */
export const INITIAL_WINDOW = 65_536;
/** Added to a message's length where memory is counted, so that a flood of tiny ones is bounded too. */
export const MESSAGE_COST = 32;
const MAX_REASON_BYTES = 1_024;

const TYPE = {
  hello: 0x00,
  open: 0x01,
  data: 0x02,
  credit: 0x03,
  ack: 0x04,
  reply: 0x05,
  close: 0x06,
  ping: 0x07,
  pong: 0x08,
  goAway: 0x09,
  farewell: 0x8a,
} as const;

/** A frame type with this bit may be skipped by a peer that does not know it. */
const MAY_SKIP = 0x80;

/** What each end says first. */
export interface Hello {
  version: number;
  min: number;
  /** Channels that this side keeps open at most. */
  channels: number;
  software: string;
}

export interface GoAway {
  code: number;
  reason: string;
  /** Milliseconds until this side cuts. */
  deadline: number;
}

export type Frame =
  | { type: "hello"; hello: Hello }
  | { type: "open"; channel: number; header: Uint8Array; body: Uint8Array }
  | { type: "data"; channel: number; message: Uint8Array }
  | { type: "credit" | "ack"; channel: number; offset: number }
  | { type: "reply"; channel: number; message: Uint8Array }
  | { type: "close"; channel: number; code: number; reason: string }
  | { type: "ping" | "pong"; stamp: number }
  | { type: "goAway"; goAway: GoAway }
  | { type: "farewell"; channel: number; goAway: GoAway }
  | { type: "skipped" };

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A frame with room for `payload` bytes; the caller fills them. */
function frameOf(type: number, channel: number, payload: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(HEADER_BYTES + payload);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint32(1, channel);
  return { bytes, view };
}

/** Makes a data frame of a message that left {@link HEADER_BYTES} free in front: no copy. */
export function stampData(frame: Uint8Array, channel: number): Uint8Array {
  frame[0] = TYPE.data;
  frame[1] = channel >>> 24;
  frame[2] = channel >>> 16;
  frame[3] = channel >>> 8;
  frame[4] = channel;
  return frame;
}

/** The frame in which {@link decodeFrame} found a message, to be stamped again: no copy. */
export function frameAround({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset - HEADER_BYTES, HEADER_BYTES + length);
}

export function encodeFrame(frame: Exclude<Frame, { type: "skipped" }>): Uint8Array {
  switch (frame.type) {
    case "hello":
      return withPayload(TYPE.hello, 0, json(frame.hello));
    case "goAway":
      return withPayload(TYPE.goAway, 0, json(frame.goAway));
    case "farewell":
      return withPayload(TYPE.farewell, frame.channel, json(frame.goAway));
    case "data":
      return withPayload(TYPE.data, frame.channel, frame.message);
    case "reply":
      return withPayload(TYPE.reply, frame.channel, frame.message);
    case "open":
      return encodeOpen(frame);
    case "credit":
    case "ack":
      return withOffset(TYPE[frame.type], frame.channel, frame.offset);
    case "ping":
    case "pong":
      return withOffset(TYPE[frame.type], 0, frame.stamp);
    case "close": {
      const reason = utf8.encode(frame.reason).subarray(0, MAX_REASON_BYTES);
      const { bytes, view } = frameOf(TYPE.close, frame.channel, 2 + reason.length);
      view.setUint16(HEADER_BYTES, frame.code);
      bytes.set(reason, HEADER_BYTES + 2);
      return bytes;
    }
  }
}

/** Total: any bytes give a frame or a {@link MuxError}, and nothing is allocated by a declared length. Data is not copied. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length < HEADER_BYTES) throw violation(`a frame is at least ${HEADER_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getUint8(0);
  const channel = view.getUint32(1);
  const payload = bytes.subarray(HEADER_BYTES);
  if (type === TYPE.data) {
    if (payload.length === 0 || payload.length > MAX_MESSAGE_BYTES)
      throw violation(`a message is 1 to ${MAX_MESSAGE_BYTES} bytes`);
    return { type: "data", channel: named(channel), message: payload };
  }
  if (payload.length > MAX_CONTROL_BYTES) throw violation(`a control frame is at most ${MAX_CONTROL_BYTES} bytes`);
  return decodeControl(type, channel, payload);
}

function decodeControl(type: number, channel: number, payload: Uint8Array): Frame {
  switch (type) {
    case TYPE.credit:
      return { type: "credit", channel: named(channel), offset: offsetOf(payload) };
    case TYPE.ack:
      return { type: "ack", channel: named(channel), offset: offsetOf(payload) };
    case TYPE.ping:
      return { type: "ping", stamp: offsetOf(unnamed(channel, payload)) };
    case TYPE.pong:
      return { type: "pong", stamp: offsetOf(unnamed(channel, payload)) };
    case TYPE.open:
      return decodeOpen(named(channel), payload);
    case TYPE.reply:
      return { type: "reply", channel: named(channel), message: payload };
    case TYPE.close:
      if (payload.length < 2 || payload.length > 2 + MAX_REASON_BYTES) throw violation("malformed close frame");
      return {
        type: "close",
        channel: named(channel),
        code: (payload[0] ?? 0) * 256 + (payload[1] ?? 0),
        reason: text.decode(payload.subarray(2)),
      };
    case TYPE.hello:
      return { type: "hello", hello: helloOf(parse(unnamed(channel, payload))) };
    case TYPE.goAway:
      return { type: "goAway", goAway: goAwayOf(parse(unnamed(channel, payload))) };
    case TYPE.farewell:
      return { type: "farewell", channel: named(channel), goAway: goAwayOf(parse(payload)) };
    default:
      if (type & MAY_SKIP) return { type: "skipped" };
      throw violation(`frame type ${type} is unknown and must be understood`);
  }
}

function withPayload(type: number, channel: number, payload: Uint8Array): Uint8Array {
  const { bytes } = frameOf(type, channel, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

function withOffset(type: number, channel: number, offset: number): Uint8Array {
  const { bytes, view } = frameOf(type, channel, 8);
  view.setUint32(HEADER_BYTES, Math.floor(offset / 0x1_0000_0000));
  view.setUint32(HEADER_BYTES + 4, offset >>> 0);
  return bytes;
}

function encodeOpen(frame: { channel: number; header: Uint8Array; body: Uint8Array }): Uint8Array {
  const { header, body } = frame;
  const { bytes, view } = frameOf(TYPE.open, frame.channel, 4 + header.length + body.length);
  view.setUint32(HEADER_BYTES, header.length);
  bytes.set(header, HEADER_BYTES + 4);
  bytes.set(body, HEADER_BYTES + 4 + header.length);
  return bytes;
}

function decodeOpen(channel: number, payload: Uint8Array): Frame {
  if (payload.length < 4) throw violation("malformed open frame");
  const length = new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
  if (length > payload.length - 4) throw violation("malformed open frame");
  return { type: "open", channel, header: payload.subarray(4, 4 + length), body: payload.subarray(4 + length) };
}

function named(channel: number): number {
  if (channel === 0) throw violation("channel 0 is the connection itself");
  return channel;
}

/** The payload of a frame about the connection itself. */
function unnamed(channel: number, payload: Uint8Array): Uint8Array {
  if (channel !== 0) throw violation("that frame belongs to channel 0");
  return payload;
}

function offsetOf(payload: Uint8Array): number {
  if (payload.length !== 8) throw violation("an offset is 8 bytes");
  const view = new DataView(payload.buffer, payload.byteOffset, 8);
  const offset = view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
  if (!Number.isSafeInteger(offset)) throw violation("an offset is below 2^53");
  return offset;
}

function json(value: unknown): Uint8Array {
  return utf8.encode(JSON.stringify(value));
}

function parse(payload: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.decode(payload));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Malformed either way: told below.
  }
  throw violation("malformed JSON in a control frame");
}

function helloOf(value: Record<string, unknown>): Hello {
  const { version, min, channels, software } = value;
  if (!isCount(version) || !isCount(min) || !isCount(channels) || min > version) throw violation("malformed hello");
  return { version, min, channels, software: typeof software === "string" ? software.slice(0, 200) : "" };
}

function goAwayOf(value: Record<string, unknown>): GoAway {
  const { code, reason, deadline } = value;
  // JSON has numbers that a relay could not write down again.
  if (!isCount(code) || typeof reason !== "string" || typeof deadline !== "number" || !Number.isFinite(deadline))
    throw violation("malformed go-away");
  return { code, reason: reason.slice(0, MAX_REASON_BYTES), deadline };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}
