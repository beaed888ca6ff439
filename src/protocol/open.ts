/** What opens a channel: a header that a relay may read, and a body that only the agent understands. */

import * as z from "zod/mini";
import { FairleadError, Problem } from "./errors.ts";

const ref = z.string().check(z.minLength(1, "must name one"), z.maxLength(256, "must be at most 256 characters"));
const secret = z.string().check(z.minLength(16), z.maxLength(128));
const whole = (min: number, max: number) => z.int().check(z.minimum(min), z.maximum(max));
const port = whole(1, 65_535);
const noNul = (text: string) => !text.includes("\0");
const text = (max: number) => z.string().check(z.maxLength(max), z.refine(noNul, "must not contain NUL"));

export const Size = z.object({ cols: whole(1, 1000), rows: whole(1, 1000) });

/** `kill`: the session ends when its connection does. `keep`: it waits `grace` for a resume. */
export const OpenHeader = z.strictObject({
  op: z.enum([
    "logs",
    "exec",
    "attach",
    "forward",
    "proxy",
    "copy-out",
    "copy-in",
    "shell",
    "dial",
    "observe",
    "resume",
  ]),
  node: z.optional(z.string().check(z.maxLength(253))),
  /** Id, short id, name, `project/service` or `project/service/N`. */
  container: z.optional(ref),
  /** Of `resume` and `observe`; of `dial`: the forward it belongs to. */
  session: z.optional(z.string().check(z.maxLength(64))),
  onDrop: z.optional(z.enum(["kill", "keep"])),
  /** Milliseconds. */
  grace: z.optional(whole(0, 86_400_000)),
});
export type OpenHeader = z.infer<typeof OpenHeader>;

const variable = text(32_768).check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*=/, "must be NAME=value"));

export const ExecBody = z.strictObject({
  command: z.array(text(131_072)).check(z.minLength(1), z.maxLength(256)),
  tty: z.boolean(),
  stdin: z.boolean(),
  user: z.optional(text(128)),
  workdir: z.optional(text(4096).check(z.startsWith("/"))),
  env: z.optional(z.array(variable).check(z.maxLength(128))),
  size: z.optional(Size),
});
export type ExecBody = z.infer<typeof ExecBody>;

export const AttachBody = z.strictObject({
  stdin: z.boolean(),
  stdout: z.boolean(),
  stderr: z.boolean(),
  size: z.optional(Size),
});
export type AttachBody = z.infer<typeof AttachBody>;

/** A shell on the host itself, as one of its users. */
export const ShellBody = z.strictObject({
  /** Empty: the user's own shell, as at a login. */
  command: z.array(text(131_072)).check(z.maxLength(256)),
  tty: z.boolean(),
  stdin: z.boolean(),
  /** What the client's terminal is, for TERM. */
  term: z.optional(z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, "must be the name of a terminal"))),
  size: z.optional(Size),
});
export type ShellBody = z.infer<typeof ShellBody>;

const place = z.strictObject({ time: z.string().check(z.maxLength(40)), ordinal: z.int().check(z.minimum(1)) });

/** Where a log reader stands: the time of the last entry it has and how many with that time it has, per stream. */
export const LogCursor = z.strictObject({
  container: z.string(),
  stdout: z.optional(place),
  stderr: z.optional(place),
});
export type LogCursor = z.infer<typeof LogCursor>;

/** `seconds.nanoseconds` since 1970. */
const moment = z.string().check(z.regex(/^\d{1,12}(\.\d{1,9})?$/));

export const LogsBody = z.strictObject({
  follow: z.boolean(),
  stdout: z.boolean(),
  stderr: z.boolean(),
  /** Prefix each line with its RFC 3339 time. */
  timestamps: z.boolean(),
  tail: z.optional(whole(0, 10_000_000)),
  since: z.optional(moment),
  until: z.optional(moment),
  /** Only lines that contain this text. */
  grep: z.optional(text(1024)),
  /** Only what comes after this: a reader that lost its session goes on without a line lost or repeated. */
  after: z.optional(LogCursor),
});
export type LogsBody = z.infer<typeof LogsBody>;

export const ForwardBody = z.strictObject({ ports: z.array(port).check(z.minLength(1), z.maxLength(64)) });
export type ForwardBody = z.infer<typeof ForwardBody>;

/** The pages of one port, which the agent's HTTP door fetches for a browser. */
export const ProxyBody = z.strictObject({ port });
export type ProxyBody = z.infer<typeof ProxyBody>;

/** One TCP connection of a forward; a session of its own, child of the forward. */
export const DialBody = z.strictObject({ secret, port });
export type DialBody = z.infer<typeof DialBody>;

/** From the container's root. `/.` at its end means what is in the directory. */
const path = text(4096).check(z.minLength(1));

/** A key of AES-128, used for one copy: its digest is a GMAC then, which takes a tenth of the time of a SHA-256. */
const gmac = z.optional(z.string().check(z.regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits")));

/** The archive of what is at a path: its first entry has the path's last name, the others lie below it. */
export const CopyOutBody = z.strictObject({
  path,
  /** A link is not copied itself, but what it leads to. */
  follow: z.optional(z.boolean()),
  gmac,
});
export type CopyOutBody = z.infer<typeof CopyOutBody>;

/** An archive that is unpacked in the directory at `path`; where there is none, in the directory that it would be in. */
export const CopyInBody = z.strictObject({ path, gmac });
export type CopyInBody = z.infer<typeof CopyInBody>;

/** What is at the path of a copy; links are resolved, unless a link itself is copied. */
export const CopyPlace = z.object({
  kind: z.enum(["file", "directory", "link", "other", "absent"]),
  /** The last part of the path, behind all links. */
  name: z.string(),
  /** Bytes, of a file. */
  size: z.number(),
  /** Where a link leads. */
  target: z.optional(z.string()),
});
export type CopyPlace = z.infer<typeof CopyPlace>;

/** `received` is the offset up to which this side has the other's packets. */
export const ResumeBody = z.strictObject({
  secret,
  epoch: z.int().check(z.minimum(1)),
  received: z.int().check(z.minimum(0)),
});
export type ResumeBody = z.infer<typeof ResumeBody>;

/** The agent's first word on a channel that it accepted. */
export const Opened = z.object({
  session: z.string(),
  secret: z.string(),
  /** Counts resumes; the client names the next one. */
  epoch: z.int(),
  /** Offset up to which the agent has this side's packets (0 at a first open). */
  received: z.int(),
  container: z.optional(z.object({ id: z.string(), name: z.string() })),
  /** Of a shell on the host: whose it is. */
  user: z.optional(z.string()),
  /** Whether what is on the other side is a terminal. */
  tty: z.optional(z.boolean()),
  /** Of an attach: whether what the client sends arrives, which the container may be made not to read. */
  stdin: z.optional(z.boolean()),
  /** Of a copy: what it reads, or what is there before it writes. */
  place: z.optional(CopyPlace),
  /** Words for whoever asked: what is dangerous about it here. */
  warning: z.optional(z.string()),
  onDrop: z.enum(["kill", "keep"]),
  grace: z.number(),
});
export type Opened = z.infer<typeof Opened>;

/** The agent's first word on a channel: it accepted, or it says why not. */
export function readReply(bytes: Uint8Array): Opened | FairleadError {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const problem = Problem.safeParse(value);
    if (problem.success) return FairleadError.from(problem.data);
    return Opened.parse(value);
  } catch {
    return new FairleadError("protocol-error", "The agent's answer could not be understood.");
  }
}
