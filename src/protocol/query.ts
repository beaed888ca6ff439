/** What the addresses of the standard doors say behind the question mark. `docs/api.md` has the tables. */

import * as z from "zod/mini";

/** Also without a value: `?follow`. */
const flag = z.optional(z.enum(["", "1", "true", "0", "false"], "must be true, false, 1, 0 or nothing"));
const TEXT = 64;
const time = z.optional(z.string().check(z.minLength(1), z.maxLength(TEXT)));

export const LogsQuery = z.strictObject({
  follow: flag,
  timestamps: flag,
  stdout: flag,
  stderr: flag,
  /** So many lines from the end. */
  tail: z.optional(z.string().check(z.regex(/^(all|\d{1,7})$/, "must be a whole number below ten million, or all"))),
  since: time,
  until: time,
});
export type LogsQuery = z.infer<typeof LogsQuery>;

/** Once, or again with each change. */
export const WatchQuery = z.strictObject({ watch: flag });
export type WatchQuery = z.infer<typeof WatchQuery>;

export const EventsQuery = z.strictObject({ watch: flag, since: time, until: time });
export type EventsQuery = z.infer<typeof EventsQuery>;

const word = z.optional(z.string().check(z.minLength(1), z.maxLength(256)));
/** Records that `tail` may ask for. */
const MAX_TAIL = 1_000;
const TAIL = `must be a whole number, at most ${MAX_TAIL}`;

export const AuditQuery = z.strictObject({
  since: time,
  /** Who: `local`, `token:NAME` or `page:ID`. */
  subject: word,
  /** A name, or the beginning of an id. */
  container: word,
  /** Only the last so many of what there is. */
  tail: z.optional(
    z.string().check(
      z.regex(/^\d{1,4}$/, TAIL),
      z.refine((text) => Number(text) <= MAX_TAIL, TAIL),
    ),
  ),
  follow: flag,
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** Seconds from the polite signal to KILL. */
export const MAX_STOP_TIMEOUT = 3_600;
const STOP_TIMEOUT = `must be whole seconds, at most ${MAX_STOP_TIMEOUT}`;
const stopTimeout = z.string().check(
  z.regex(/^\d{1,4}$/, STOP_TIMEOUT),
  z.refine((text) => Number(text) <= MAX_STOP_TIMEOUT, STOP_TIMEOUT),
);

export const StopQuery = z.strictObject({ timeout: z.optional(stopTimeout) });
export type StopQuery = z.infer<typeof StopQuery>;

export const RemoveQuery = z.strictObject({ force: flag, volumes: flag });
export type RemoveQuery = z.infer<typeof RemoveQuery>;

/** Kubernetes' rule: absent, `false` and `0` are false; anything else, even nothing, is true. */
const kubernetesFlag = z.optional(z.string().check(z.maxLength(TEXT)));

const streams = {
  stdin: kubernetesFlag,
  stdout: kubernetesFlag,
  stderr: kubernetesFlag,
  tty: kubernetesFlag,
  /** Which container of a pod: here a container is a pod of its own, so this changes nothing. */
  container: z.optional(z.string().check(z.maxLength(256))),
};

export const AttachQuery = z.strictObject(streams);
export type AttachQuery = z.infer<typeof AttachQuery>;

/** `command` once for each argument; its limits are those of an exec's body. */
export const ExecQuery = z.strictObject({ ...streams, command: z.union([z.string(), z.array(z.string())]) });
export type ExecQuery = z.infer<typeof ExecQuery>;

export function isSet(value: z.infer<typeof flag>): boolean {
  return value === "" || value === "1" || value === "true";
}

export function isSetForKubernetes(value: z.infer<typeof kubernetesFlag>): boolean {
  return value !== undefined && value !== "false" && value !== "0";
}
