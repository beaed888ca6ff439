/** A gateway on a real port before a real desk, and clients that say exactly what a test tells them to, byte for byte. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { WebSocket } from "ws";
import { createGateway } from "../../src/agent/gateway/gateway.ts";
import type { GatewayConfig, GatewayOptions } from "../../src/agent/gateway/options.ts";
import { AuditLog } from "../../src/audit/audit-log.ts";
import { Credentials } from "../../src/auth/credentials.ts";
import { newSecret } from "../../src/auth/secret.ts";
import type { TokenGrant } from "../../src/auth/tokens.ts";
import { PAGE_SECRET_HEADER, SESSIONS_PATH, SUBPROTOCOL, TICKET_PREFIX } from "../../src/protocol/version.ts";
import { type DeskOptions, startDesk } from "./desk.ts";

/** A gateway that nobody else reaches, on any free port. */
export const CONFIG: GatewayConfig = {
  nodeName: "test",
  version: "1.2.3",
  listenAddress: "127.0.0.1",
  listenPort: 0,
  publicUrls: [],
  trustedProxies: [],
  metricsPublic: false,
};

export interface FrontOptions {
  desk?: DeskOptions;
  config?: Partial<GatewayConfig>;
  gateway?: Partial<GatewayOptions>;
  tokens?: TokenGrant[];
}

/** What came back on the wire. */
export interface Answer {
  status: number;
  /** Lower-case names; a header that came twice is joined by a comma. */
  headers: Record<string, string>;
  body: string;
  /** Everything but the `Date` and the request's id, which no two answers share. */
  bytes: string;
}

export interface Asking {
  method?: string;
  path?: string;
  /** Exactly these lines follow the request line; `host` adds the right Host unless it is false. */
  headers?: string[];
  host?: boolean;
  body?: string;
  version?: string;
}

export type Front = Awaited<ReturnType<typeof startFront>>;

export async function startFront(options: FrontOptions = {}) {
  const desk = await startDesk(options.desk);
  /** Milliseconds by which the credentials' clock is ahead. */
  const clock = { ahead: 0 };
  const admin = newSecret();
  const local = { token: admin, grant: { subject: "local", rights: ["admin" as const], scopes: [] } };
  const tokens = [local, ...(options.tokens ?? [])];
  const credentials = new Credentials({ tokens, now: () => performance.now() + clock.ahead });
  const lines: unknown[] = [];
  const write = (fields: object, message: string) => void lines.push({ ...fields, message });
  const directory = await mkdtemp(join(tmpdir(), "fl-front-"));
  const required = new Set<string>();
  const bounds = { program: "agent" as const, maxSize: 1_048_576, maxAge: 0, required, version: "1.2.3" };
  const audit = await AuditLog.open({ directory, ...bounds, onTrouble: () => undefined });
  const gateway = await createGateway({
    audit,
    config: { ...CONFIG, ...options.config },
    credentials,
    containers: desk.containers,
    sessions: desk.sessions,
    stats: desk.stats,
    events: desk.events,
    runtimeReady: () => desk.containers.ready,
    metrics: new Registry(),
    log: { debug: write, info: write, warn: write, error: write },
    ...options.gateway,
  });
  const place = await gateway.listen();
  const { url } = place;
  const { host, port } = new URL(url);
  return {
    desk,
    /** What the door and the pages have in it; what the desk has stands in `desk.audit`. */
    audit,
    auditDirectory: directory,
    gateway,
    credentials,
    clock,
    admin,
    url,
    host,
    port: Number(port),
    /** Where probes alone are answered, if it was asked for. */
    probePort: place.probes ? Number(new URL(place.probes).port) : 0,
    /** Everything that was logged. */
    log: lines,
    ask: (asking: Asking) => ask({ port: Number(port), host }, asking),
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      credentials.close();
      await desk.close();
      await audit.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** One request on a connection of its own; resolves once the server has closed it. */
export async function ask({ port, host }: { port: number; host: string }, asking: Asking): Promise<Answer> {
  return converse(port, requestText(host, asking));
}

export function requestText(host: string, asking: Asking): string {
  const { method = "GET", path = "/", headers = [], body, version = "1.1" } = asking;
  const all = [...headers];
  if (asking.host !== false) all.unshift(`Host: ${host}`);
  if (!all.some((line) => /^connection:/i.test(line))) all.push("Connection: close");
  if (body !== undefined) all.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return `${method} ${path} HTTP/${version}\r\n${all.map((line) => `${line}\r\n`).join("")}\r\n${body ?? ""}`;
}

/** Sends the text and reads until the server closes; fails if it does not within five seconds. */
export async function converse(port: number, text: string): Promise<Answer> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(text);
  await closed(socket);
  return parseAnswer(Buffer.concat(chunks).toString("latin1"));
}

export async function closed(socket: Socket, ms = 5_000): Promise<void> {
  if (socket.closed) return;
  await once(socket, "close", { signal: AbortSignal.timeout(ms) });
}

function parseAnswer(text: string): Answer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [name = "", ...value] = line.split(": ");
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value.join(": ") : `${headers[key]}, ${value.join(": ")}`;
  }
  const bytes = text.replace(/\r\n(?:Date|X-Request-Id): [^\r]*/gi, "").replace(/,"request":"[0-9a-f]{16}"/, "");
  return { status: Number(first.split(" ")[1] ?? 0), headers, body: rest.join("\r\n\r\n"), bytes };
}

export const bearer = (token: string) => `Authorization: Bearer ${token}`;
export const json = (answer: Answer) => JSON.parse(answer.body) as Record<string, unknown>;
export const code = (answer: Answer) => json(answer)["code"];

/** The headers of a WebSocket handshake. */
export function upgrade(...more: string[]): string[] {
  return [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${Buffer.alloc(16, 1).toString("base64")}`,
    ...more,
  ];
}

export const offer = (ticket?: string, protocol: string = SUBPROTOCOL) =>
  `Sec-WebSocket-Protocol: ${protocol}${ticket === undefined ? "" : `, ${TICKET_PREFIX}${ticket}`}`;

/** A page that signed in: the headers that prove it. */
export async function signIn(front: Front, token = front.admin) {
  const issuer = front.credentials.tokens.verify(token);
  if (!issuer) throw new Error("no such token");
  const body = JSON.stringify({ code: front.credentials.codes.issue(issuer).code });
  const origin = `Origin: ${front.url}`;
  const answer = await front.ask({ method: "POST", path: "/api/v1/sign-in", headers: [origin], body });
  if (answer.status !== 200) throw new Error(`sign-in failed: ${answer.body}`);
  const cookie = `Cookie: ${(answer.headers["set-cookie"] ?? "").split(";", 1)[0]}`;
  const secret = `${PAGE_SECRET_HEADER}: ${String(json(answer)["secret"])}`;
  return { cookie, secret, origin, proof: [cookie, secret, origin] };
}

/** A ticket as the page gets it. */
export async function ticketOf(front: Front, proof: string[]): Promise<string> {
  const answer = await front.ask({ method: "POST", path: "/api/v1/tickets", headers: proof });
  if (answer.status !== 200) throw new Error(`no ticket: ${answer.body}`);
  return String(json(answer)["ticket"]);
}

/** Resolves with the open socket, rejects with the status when the handshake is refused. */
export async function openSocket(
  front: Front,
  options: { token?: string; protocols?: string[] } = {},
): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${options.token ?? front.admin}` };
  const address = `ws://${front.host}${SESSIONS_PATH}`;
  const socket = new WebSocket(address, options.protocols ?? [SUBPROTOCOL], { headers, perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}
