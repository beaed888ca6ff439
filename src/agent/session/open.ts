/** What each kind of session asks for, needs the right to, and does. */

import type * as z from "zod/mini";
import { FairleadError } from "../../protocol/errors.ts";
import {
  AttachBody,
  CopyInBody,
  CopyOutBody,
  ExecBody,
  ForwardBody,
  LogsBody,
  OpenHeader,
  ProxyBody,
  ShellBody,
} from "../../protocol/open.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import type { Right } from "../../protocol/rights.ts";
import { serveAttach } from "./attach.ts";
import type { Host } from "../runtime/runtime.ts";
import type { AuditLine } from "../../protocol/audit.ts";
import { serveCopyIn, serveCopyOut } from "./copy.ts";
import { serveExec } from "./exec.ts";
import { serveForward } from "./forward.ts";
import { type LogTools, serveLogs } from "./logs.ts";
import type { SessionIo } from "./io.ts";
import { serveShell } from "./shell.ts";

/** What sessions work with. */
export interface Tools extends LogTools {
  host: Host;
}

/** A request that was understood. */
export interface Opening {
  right: Right;
  /** It works on the host itself, and not on a container that the header names. */
  onHost?: true;
  /** What becomes of it when the connection is lost, unless the client says otherwise. */
  onDrop: "kill" | "keep";
  audit: Partial<AuditLine>;
  /** `id` is the container's; empty on the host. */
  serve(io: SessionIo, id: string, tools: Tools): Promise<ExitStatus>;
}

/** By operation; a new kind of session is one more entry. */
const KINDS: Partial<Record<OpenHeader["op"], (body: Uint8Array) => Opening>> = {
  exec(bytes) {
    const body = parseBody(ExecBody, bytes);
    return {
      right: "exec",
      onDrop: body.tty ? "keep" : "kill",
      audit: { command: body.command },
      serve: (io, id, { runtime }) => serveExec(io, id, body, runtime),
    };
  },
  attach(bytes) {
    const body = parseBody(AttachBody, bytes);
    return {
      right: body.stdin ? "attach-rw" : "attach-ro",
      onDrop: "keep",
      audit: {},
      serve: (io, id, { runtime }) => serveAttach(io, id, body, runtime),
    };
  },
  logs(bytes) {
    const body = parseBody(LogsBody, bytes);
    return {
      right: "logs",
      onDrop: "keep",
      audit: {},
      serve: (io, id, tools) => serveLogs(io, id, body, tools),
    };
  },
  forward(bytes) {
    const { ports } = parseBody(ForwardBody, bytes);
    return {
      right: "forward",
      onDrop: "keep",
      audit: { ports },
      serve: (io) => serveForward(io),
    };
  },
  shell(bytes) {
    const body = parseBody(ShellBody, bytes);
    return {
      right: "host-shell",
      onHost: true,
      onDrop: body.tty ? "keep" : "kill",
      audit: { command: body.command },
      serve: (io, _id, { host }) => serveShell(io, body, host),
    };
  },
  proxy(bytes) {
    const { port } = parseBody(ProxyBody, bytes);
    return {
      right: "proxy",
      onDrop: "kill",
      audit: { ports: [port] },
      serve: (io) => serveForward(io),
    };
  },
  "copy-out"(bytes) {
    const body = parseBody(CopyOutBody, bytes);
    return {
      right: "copy-out",
      onDrop: "keep",
      audit: { path: body.path },
      serve: (io, id, { runtime }) => serveCopyOut(io, id, body, runtime),
    };
  },
  "copy-in"(bytes) {
    const body = parseBody(CopyInBody, bytes);
    return {
      right: "copy-in",
      onDrop: "keep",
      audit: { path: body.path },
      serve: (io, id, { runtime }) => serveCopyIn(io, id, body, runtime),
    };
  },
};

/** What a header and its body ask for. Throws `bad-request` for what opens no session. */
export function openingOf({ op }: OpenHeader, body: Uint8Array): Opening {
  const opening = KINDS[op]?.(body);
  if (!opening) throw new FairleadError("bad-request", `"${op}" does not open a session.`);
  return opening;
}

const text = new TextDecoder("utf-8", { fatal: true });
/** Longest header, in bytes; a body is bounded by the frame. */
const MAX_HEADER = 16_384;

export function parseHeader(bytes: Uint8Array): OpenHeader {
  if (bytes.length > MAX_HEADER) throw new FairleadError("too-large", `A header is at most ${MAX_HEADER} bytes.`);
  return parseBody(OpenHeader, bytes);
}

export function parseBody<T>(schema: z.ZodMiniType<T>, bytes: Uint8Array): T {
  let value: unknown;
  try {
    value = JSON.parse(text.decode(bytes));
  } catch {
    throw new FairleadError("bad-request", "The request is not valid JSON.");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new FairleadError("bad-request", where ? `${where}: ${issue?.message}` : (issue?.message ?? "not valid"));
}
