/**
 * Kubernetes' remote command protocol, `v5.channel.k8s.io` and `v4.channel.k8s.io`: the first byte of each message names
 * a channel, and the last message of the server says how it ended. After k8s.io/apimachinery/pkg/util/remotecommand.
 */

import * as z from "zod/mini";
import { ERRORS, type FairleadError } from "./errors.ts";
import type { ExitStatus } from "./packet.ts";

/** Only here a client can end one channel and keep the rest. */
export const V5 = "v5.channel.k8s.io";
export const V4 = "v4.channel.k8s.io";

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

export function messageOn(channel: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(bytes.length + 1);
  message[0] = channel;
  message.set(bytes, 1);
  return message;
}

/** What kubectl and the client libraries read of a `metav1.Status`. */
export interface Status {
  metadata: Record<string, never>;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: { causes: { reason?: string; message: string }[] };
  code?: number;
}

/** By HTTP status; whatever is not here is an `InternalError`. */
const REASONS: Partial<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  408: "Timeout",
  409: "Conflict",
  410: "Gone",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
};

/** An exit code that clients cannot read, or that nobody knows, is a failure of ours and never a success. */
export function statusOfExit(status: ExitStatus): Status {
  if ("unknown" in status) return internal(`the exit status is not known: ${status.unknown}`);
  const { code } = status;
  if (code === 0) return { metadata: {}, status: "Success" };
  if (!(code > 0 && code <= 255)) return internal(`the exit status ${code} is not one of 0 to 255`);
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  };
}

export function statusOfError({ code, message }: FairleadError): Status {
  const { http } = ERRORS[code];
  const reason = REASONS[http];
  if (reason === undefined) return internal(message);
  return { metadata: {}, status: "Failure", message, reason, details: { causes: [{ message }] }, code: http };
}

function internal(words: string): Status {
  const message = `Internal error occurred: ${words}`;
  return {
    metadata: {},
    status: "Failure",
    message,
    reason: "InternalError",
    details: { causes: [{ message: words }] },
    code: 500,
  };
}

const side = z.int().check(z.minimum(1), z.maximum(65_535));
const TerminalSize = z.object({ width: side, height: side });
/** Longest text that may be one size. */
const MAX_SIZE_TEXT = 1_024;
/** Sizes at most that one message is searched for, from the end. */
const MAX_TRIED = 16;
/** Larger ones than sessions have become this. */
const MAX_SIDE = 1_000;

/** Reads terminal sizes: JSON objects one after the other, wherever the messages they come in begin and end. */
export class SizeReader {
  readonly #text = new TextDecoder();
  #pending = "";

  /** The newest size that is complete with these bytes. What is no size is passed over: no reason to end a shell. */
  push(bytes: Uint8Array): { cols: number; rows: number } | undefined {
    const objects = (this.#pending + this.#text.decode(bytes, { stream: true })).split("}");
    const rest = objects.pop() ?? "";
    this.#pending = rest.length > MAX_SIZE_TEXT ? "" : rest;
    return objects
      .slice(-MAX_TRIED)
      .flatMap((object) => parseSize(`${object}}`) ?? [])
      .at(-1);
  }
}

/** Names of any case, as Go's decoder has it: `Width` and `width` are both in use. */
function parseSize(text: string): { cols: number; rows: number } | undefined {
  try {
    const value: unknown = JSON.parse(text.toLowerCase());
    const { width, height } = TerminalSize.parse(value);
    return { cols: Math.min(width, MAX_SIDE), rows: Math.min(height, MAX_SIDE) };
  } catch {
    return undefined;
  }
}
