/** What opens a channel: a header that a relay may read, and a body that only the agent understands. */

import { z } from "zod";

const ref = z.string().min(1).max(256);
const secret = z.string().min(16).max(128);
const port = z.number().int().min(1).max(65_535);
const noNul = (text: string) => !text.includes("\0");
const text = (max: number) => z.string().max(max).refine(noNul, "must not contain NUL");

export const Size = z.object({ cols: z.number().int().min(1).max(1000), rows: z.number().int().min(1).max(1000) });

/** `kill`: the session ends when its connection does. `keep`: it waits `grace` for a resume. */
export const OpenHeader = z.strictObject({
  op: z.enum(["logs", "exec", "attach", "forward", "dial", "observe", "resume"]),
  node: z.string().max(253).optional(),
  /** Id, short id, name, `project/service` or `project/service/N`. */
  container: ref.optional(),
  /** Of `resume` and `observe`; of `dial`: the forward it belongs to. */
  session: z.string().max(64).optional(),
  onDrop: z.enum(["kill", "keep"]).optional(),
  /** Milliseconds. */
  grace: z.number().int().min(0).max(86_400_000).optional(),
});
export type OpenHeader = z.infer<typeof OpenHeader>;

export const ExecBody = z.strictObject({
  command: z.array(text(131_072)).min(1).max(256),
  tty: z.boolean(),
  stdin: z.boolean(),
  user: text(128).optional(),
  workdir: text(4096).startsWith("/").optional(),
  env: z
    .array(text(32_768).regex(/^[A-Za-z_][A-Za-z0-9_]*=/, "must be NAME=value"))
    .max(128)
    .optional(),
  size: Size.optional(),
});
export type ExecBody = z.infer<typeof ExecBody>;

export const AttachBody = z.strictObject({
  stdin: z.boolean(),
  stdout: z.boolean(),
  stderr: z.boolean(),
  size: Size.optional(),
});
export type AttachBody = z.infer<typeof AttachBody>;

/** Where a log reader stands: the time of the last entry it has and how many with that time it has, per stream. */
export const LogCursor = z.strictObject({
  container: z.string(),
  stdout: z.strictObject({ time: z.string().max(40), ordinal: z.number().int().min(1) }).optional(),
  stderr: z.strictObject({ time: z.string().max(40), ordinal: z.number().int().min(1) }).optional(),
});
export type LogCursor = z.infer<typeof LogCursor>;

export const LogsBody = z.strictObject({
  follow: z.boolean(),
  stdout: z.boolean(),
  stderr: z.boolean(),
  /** Prefix each line with its RFC 3339 time. */
  timestamps: z.boolean(),
  tail: z.number().int().min(0).max(10_000_000).optional(),
  /** `seconds.nanoseconds` since 1970. */
  since: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,9})?$/)
    .optional(),
  until: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,9})?$/)
    .optional(),
  /** Only lines that contain this text. */
  grep: text(1024).optional(),
  /** Only what comes after this: a reader that lost its session goes on without a line lost or repeated. */
  after: LogCursor.optional(),
});
export type LogsBody = z.infer<typeof LogsBody>;

export const ForwardBody = z.strictObject({ ports: z.array(port).min(1).max(64) });
export type ForwardBody = z.infer<typeof ForwardBody>;

/** One TCP connection of a forward; a session of its own, child of the forward. */
export const DialBody = z.strictObject({ secret, port });
export type DialBody = z.infer<typeof DialBody>;

/** `received` is the offset up to which this side has the other's packets. */
export const ResumeBody = z.strictObject({
  secret,
  epoch: z.number().int().min(1),
  received: z.number().int().min(0),
});
export type ResumeBody = z.infer<typeof ResumeBody>;

/** The agent's first word on a channel that it accepted. */
export const Opened = z.object({
  session: z.string(),
  secret: z.string(),
  /** Counts resumes; the client names the next one. */
  epoch: z.number().int(),
  /** Offset up to which the agent has this side's packets (0 at a first open). */
  received: z.number().int(),
  container: z.object({ id: z.string(), name: z.string() }).optional(),
  /** Whether what is on the other side is a terminal. */
  tty: z.boolean().optional(),
  onDrop: z.enum(["kill", "keep"]),
  grace: z.number(),
});
export type Opened = z.infer<typeof Opened>;
