/** Every door of the agent and every operation, and what each takes: written down a second time, with visitors to try it. */

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { RAW } from "../../../src/agent/gateway/framing.ts";
import type { Output, Process } from "../../../src/agent/runtime/runtime.ts";
import { newSecret } from "../../../src/auth/secret.ts";
import type { Client } from "../../../src/client/client.ts";
import { V4, V5 } from "../../../src/protocol/remote-command.ts";
import { type Grant, RIGHTS, type Right, type Scope } from "../../../src/protocol/rights.ts";
import { SUBPROTOCOL } from "../../../src/protocol/version.ts";
import type { DeskOptions } from "../../support/desk.ts";
import { container } from "../../support/scripted-runtime.ts";
import type { Asking } from "../../support/front.ts";

export const BLUE = container({ id: "b".repeat(64), name: "blue", labels: { team: "blue" } });
export const RED = container({ id: "e".repeat(64), name: "red", labels: { team: "red" } });
export const CONTAINERS = [BLUE, RED];

export const SCOPES: Record<string, { scopes: Scope[]; reaches: string[] }> = {
  everything: { scopes: [], reaches: ["blue", "red"] },
  blue: { scopes: [{ team: "blue" }], reaches: ["blue"] },
  "any team": { scopes: [{ team: "" }], reaches: ["blue", "red"] },
  nothing: { scopes: [{ team: "blue", tier: "db" }], reaches: [] },
};

export interface Visitor {
  name: string;
  token: string;
  grant: Grant;
  reaches: string[];
}

/** One visitor for each right, and one without any, with each scope. */
export const VISITORS: Visitor[] = [undefined, ...RIGHTS].flatMap((right) =>
  Object.entries(SCOPES).map(([scope, { scopes, reaches }]) => {
    const name = `${right ?? "no right"} on ${scope}`;
    const rights = right === undefined ? [] : [right];
    return { name, token: newSecret(), grant: { subject: name, rights, scopes }, reaches };
  }),
);

/** A way to use a route, and what that takes: "anyone", "signed-in", a right, or a right on the container. */
export interface Line {
  needs: Right | "anyone" | "signed-in";
  on?: string;
  /** What the door itself asks for, where the desk knows the rest. */
  door?: "signed-in";
  asking?: Asking;
  /** Of a WebSocket: the subprotocol. */
  speaks?: string;
}

/** One of these for each container. */
function forEach(rest: string, line: Omit<Line, "on" | "asking">, body?: string): Line[] {
  return CONTAINERS.map(({ name }) => {
    const path = `/api/v1/containers/${name}${rest}`;
    return { ...line, on: name, asking: { path, ...(body !== undefined && { body }) } };
  });
}

const NOWHERE = { kind: "absent", name: "x", size: 0 } as const;

/** After this a page may do nothing more. */
export const SIGN_OUT = "POST /api/v1/sign-out";

/** What each route asks for, written down a second time. */
export const ROUTES: Record<string, Line[]> = {
  "GET /healthz": [{ needs: "anyone" }],
  "HEAD /healthz": [{ needs: "anyone" }],
  "GET /readyz": [{ needs: "anyone" }],
  "HEAD /readyz": [{ needs: "anyone" }],
  "GET /metrics": [{ needs: "metrics" }],
  "GET /api/v1/containers": [{ needs: "list" }],
  "GET /api/v1/containers/:ref": forEach("", { needs: "inspect" }),
  "GET /api/v1/containers/:ref/stats": forEach("/stats", { needs: "inspect" }),
  "GET /api/v1/events": [{ needs: "list" }],
  "GET /api/v1/stats": [{ needs: "inspect" }],
  "DELETE /api/v1/containers/:ref": forEach("", { needs: "lifecycle" }),
  "POST /api/v1/containers/:ref/start": forEach("/start", { needs: "lifecycle" }),
  "POST /api/v1/containers/:ref/stop": forEach("/stop", { needs: "lifecycle" }),
  "POST /api/v1/containers/:ref/restart": forEach("/restart", { needs: "lifecycle" }),
  "GET /api/v1/containers/:ref/logs": forEach("/logs", { needs: "logs" }),
  "GET /api/v1/containers/:ref/exec": forEach("/exec?command=true&stdout=true", { needs: "exec", speaks: V5 }),
  "GET /api/v1/containers/:ref/attach": [
    ...forEach("/attach?stdout=true", { needs: "attach-ro", door: "signed-in", speaks: V4 }),
    ...forEach("/attach?stdin=true", { needs: "attach-rw", door: "signed-in", speaks: V5 }),
  ],
  "GET /api/v1/containers/:ref/ports/:port": [
    ...forEach("/ports/80", { needs: "forward", speaks: RAW }),
    ...forEach("/ports/80", { needs: "forward", speaks: V5 }),
  ],
  "GET /api/v1/containers/:ref/open": forEach("/open?port=80", { needs: "proxy" }),
  "POST /api/v1/containers/:ref/open": forEach("/open", { needs: "proxy" }, '{"port":80}'),
  "POST /api/v1/sign-in": [{ asking: { body: "{}" }, needs: "anyone" }],
  "POST /api/v1/tickets": [{ needs: "signed-in" }],
  "POST /api/v1/codes": [{ needs: "admin" }],
  "GET /api/v1/whoami": [{ needs: "signed-in" }],
  "GET /api/v1/version": [{ needs: "signed-in" }],
  "GET /api/v1/audit": [{ needs: "admin" }],
  "GET /api/v1/audit/verify": [{ needs: "admin" }],
  "GET /api/v1/openapi.json": [{ needs: "signed-in" }],
  "GET /api/v1/sessions": [{ needs: "signed-in", speaks: SUBPROTOCOL }],
  [SIGN_OUT]: [{ needs: "signed-in" }],
};
export const LINES = Object.values(ROUTES).flat().length;

/** By way of which node, where a server is asked. */
interface By {
  node?: string;
}

/** What may be done in a session, and the right it takes. */
export interface Operation {
  needs: Right;
  open: (client: Client, name: string, by?: By) => Promise<{ close(): Promise<void> }>;
}

export const OPERATIONS: Record<string, Operation> = {
  logs: {
    needs: "logs",
    open: (client, name, by) => client.logs(name, { follow: false, stdout: true, stderr: true, timestamps: false }, by),
  },
  exec: {
    needs: "exec",
    open: (client, name, by) => client.exec(name, { command: ["true"], tty: false, stdin: false }, by),
  },
  "attach to read": {
    needs: "attach-ro",
    open: (client, name, by) => client.attach(name, { stdin: false, stdout: true, stderr: true }, by),
  },
  "attach to write": {
    needs: "attach-rw",
    open: (client, name, by) => client.attach(name, { stdin: true, stdout: true, stderr: true }, by),
  },
  forward: { needs: "forward", open: (client, name, by) => client.forward(name, { ports: [80] }, by) },
  "copy out": { needs: "copy-out", open: (client, name, by) => client.copyOut(name, { path: "/x" }, by) },
  "copy in": { needs: "copy-in", open: (client, name, by) => client.copyIn(name, { path: "/x" }, by) },
};

/** What may be done on the host itself. */
export const ON_HOST: Record<string, Operation> = {
  shell: {
    needs: "host-shell",
    open: (client, _name, by) => client.shell({ command: ["true"], tty: false, stdin: false }, by),
  },
};

export function may({ grant, reaches }: Visitor, needs: Right | "anyone" | "signed-in", on?: string): boolean {
  if (needs === "anyone" || needs === "signed-in") return true;
  if (!grant.rights.includes(needs) && !grant.rights.includes("admin")) return false;
  if (needs === "admin" || needs === "host-shell") return grant.scopes.length === 0;
  return on === undefined || reaches.includes(on);
}

/** Counts what should not have been. */
export class Verdict {
  readonly gotThrough: string[] = [];
  readonly refused: string[] = [];
  count = 0;

  note(what: string, { expected, through }: { expected: boolean; through: boolean }): void {
    this.count++;
    if (through && !expected) this.gotThrough.push(what);
    if (!through && expected) this.refused.push(what);
  }

  /** At least so many were looked at, so that an empty matrix proves nothing. */
  check(atLeast: number): void {
    assert.deepEqual({ gotThrough: this.gotThrough, refused: this.refused }, { gotThrough: [], refused: [] });
    assert.ok(this.count >= atLeast, `${this.count} of at least ${atLeast}`);
  }
}

function endedProcess(): Process {
  const nothing = async () => {};
  const output = (async function* (): AsyncGenerator<Output> {})();
  const exit = Promise.resolve({ code: 0 });
  return { output, exit, write: nothing, end: nothing, resize: nothing, signal: nothing, close: nothing };
}

/** What those containers do. */
export const DESK: DeskOptions = {
  containers: CONTAINERS,
  exec: async () => ({ code: 0 }),
  logs: async function* () {},
  host: { user: "root", shell: async () => endedProcess() },
  dial: () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
  copyOut: () => ({ place: NOWHERE, archive: (async function* () {})(), close() {} }),
  copyIn: () => ({ place: NOWHERE, write: async () => {}, finish: async () => {}, close() {} }),
};
