/** Who may do what: the rights a grant lists, and the containers it reaches. */

import * as z from "zod/mini";

export const RIGHTS = [
  "list",
  "inspect",
  "metrics",
  "logs",
  "exec",
  "attach-ro",
  "attach-rw",
  "forward",
  "proxy",
  "copy-in",
  "copy-out",
  "lifecycle",
  "record",
  "host-shell",
  "admin",
] as const;

export const Right = z.enum(RIGHTS);
export type Right = z.infer<typeof Right>;

/** What each allows, for whoever gives it away. */
export const ALLOWS: Record<Right, string> = {
  list: "see hosts, containers and events",
  inspect: "see details of containers and what they use",
  metrics: "read metrics of agents and of the server",
  logs: "read logs",
  exec: "run commands and terminals in containers",
  "attach-ro": "watch main processes",
  "attach-rw": "watch main processes and type to them",
  forward: "connect to ports",
  proxy: "open containers' pages",
  "copy-in": "copy files into containers",
  "copy-out": "copy files out of containers",
  lifecycle: "start, stop, restart and remove containers",
  record: "nothing yet: it is for recordings of sessions",
  "host-shell": "work on the host itself, where its agent allows it",
  admin: "everything",
};

/** Labels a container must all carry; an empty value asks only that the label exists. No labels: every container. */
export const Scope = z.record(z.string().check(z.minLength(1)), z.string());
export type Scope = z.infer<typeof Scope>;

/** Whether a container with these labels is in the scope. */
export function matches(scope: Scope, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(scope).every(
    ([label, value]) => Object.hasOwn(labels, label) && (value === "" || labels[label] === value),
  );
}

/** As people write one: `NAME=VALUE,NAME=VALUE`. `undefined` for what is none. */
export function parseScope(text: string): Scope | undefined {
  const labels = text.split(",").map((label): [string, string] | undefined => {
    const at = label.indexOf("=");
    return at > 0 ? [label.slice(0, at), label.slice(at + 1)] : undefined;
  });
  return labels.every((label) => label !== undefined) ? Object.fromEntries(labels) : undefined;
}

export function scopeWords(scope: Scope): string {
  return Object.entries(scope)
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
}

/** `admin` includes every right. */
export interface Grant {
  /** Who, for the audit and the session list, e.g. `local`, `token:ci`, `page:7f3a`. */
  subject: string;
  rights: readonly Right[];
  /** Any one of these must match; an empty list reaches every container. */
  scopes: readonly Scope[];
  /** Names of the hosts that it reaches, where a server asks; absent: all of them. */
  nodes?: readonly string[];
}
