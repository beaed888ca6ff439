/** The HTTP side of every agent, at `/api/v1/nodes/NODE/...`: passed on as it is, in the name of whoever asks. */

import { type IncomingHttpHeaders, type IncomingMessage, request as call } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { subprotocols } from "../../../door/identity.ts";
import { AnyQuery, parseInput } from "../../../door/input.ts";
import { joinStreams } from "../../../door/channel-stream.ts";
import { stay } from "../../../door/stay.ts";
import { PAGE_SECRET_HEADER, TICKET_PREFIX } from "../../../protocol/version.ts";
import type { Relay } from "../../relay/relay.ts";
import { answerOf, HOST, SWITCHING, toldBy } from "../agent-answer.ts";

const PATH = "/api/v1/nodes/:node/*";
/** On the agent, what stands before the rest of the path. */
const BASE = "/api/v1/";
/** Who asks is said by the grant, and what concerns one hop alone goes no further (RFC 9110, 7.6.1). */
const OWN = new Set(
  ["host", "origin", "referer", "cookie", "authorization", "x-forwarded-for", "forwarded", PAGE_SECRET_HEADER].concat([
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ]),
);
/** What of an agent's agreement to a WebSocket its client is told. */
const AGREEMENT = ["sec-websocket-accept", "sec-websocket-protocol", "sec-websocket-extensions"];

const Params = z.object({ node: z.string().min(1).max(253), "*": z.string() });

const schema = {
  summary:
    "The host's own HTTP API, at what follows its name: `/api/v1/nodes/NODE/containers` is its `/api/v1/containers`.",
  description: "WebSockets too. The host's document tells what there is: `/api/v1/nodes/NODE/openapi.json`.",
  params: Params,
  querystring: AnyQuery,
  problems: ["agent-away", "node-disabled", "unreachable"],
  response: { default: { description: "What the host answers." } },
} as const;

export function addRelayed(app: App, { relay }: { relay: Relay }): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    // Bodies are the agent's to read, and to bound.
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    const config = { access: "signed-in" } as const;
    const method = ["DELETE", "PATCH", "POST", "PUT"];
    const handler = (request: FastifyRequest, reply: FastifyReply) => passOn(request, reply, relay);
    scope.route({ method, url: PATH, config, schema, handler });
    // Before the handler, where it would be made a WebSocket of this server's own.
    const preHandler = async (request: FastifyRequest, reply: FastifyReply) => {
      if (request.ws) await passSocketOn(request, reply, relay);
    };
    scope.route({ method: "GET", url: PATH, config: { ...config, socket: "either" }, schema, preHandler, handler });
  });
}

async function passOn(request: FastifyRequest, reply: FastifyReply, relay: Relay): Promise<FastifyReply> {
  const { stream, path } = await reachOut(request, relay);
  stay(callerOf(request), reply.raw, () => reply.raw.destroy());
  reply.raw.once("close", () => stream.destroy());
  const { method } = request;
  const asked = call({ createConnection: () => stream, method, path, headers: headersOf(request.headers) });
  const answered = answerOf(asked);
  // A request that is cut short over there still has an answer.
  request.raw.pipe(asked).on("error", () => {});
  return tell(reply, await answered);
}

/** A WebSocket is none of the server's: once the agent has agreed to it, both ends have each other. */
async function passSocketOn(request: FastifyRequest, reply: FastifyReply, relay: Relay): Promise<FastifyReply> {
  const { stream, path } = await reachOut(request, relay);
  const { socket } = request.raw;
  socket.once("close", () => stream.destroy());
  stay(callerOf(request), socket, () => socket.destroy());
  const offered = subprotocols(request.raw).filter((protocol) => !protocol.startsWith(TICKET_PREFIX));
  const { "sec-websocket-protocol": _, ...kept } = headersOf(request.headers);
  const headers = {
    ...kept,
    ...(offered.length > 0 && { "sec-websocket-protocol": offered.join(", ") }),
    connection: "Upgrade",
    upgrade: "websocket",
  };
  const answer = await answerOf(call({ createConnection: () => stream, path, headers }).end());
  // Whoever was not agreed with may say something else on this connection, or a proxy in front somebody else.
  if (answer.statusCode !== SWITCHING) return tell(reply, answer);
  reply.hijack().raw.detachSocket(socket);
  socket.setTimeout(0);
  socket.write(agreementOf(answer));
  joinStreams(stream, socket);
  return reply;
}

function tell(reply: FastifyReply, answer: IncomingMessage): FastifyReply {
  const { status, headers } = toldBy(answer);
  return reply.code(status).headers(headers).send(answer);
}

function agreementOf({ headers }: IncomingMessage): string {
  const lines = AGREEMENT.flatMap((name) =>
    headers[name] === undefined ? [] : `${name}: ${String(headers[name])}\r\n`,
  );
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join("")}\r\n`;
}

async function reachOut(request: FastifyRequest, relay: Relay): Promise<{ stream: Duplex; path: string }> {
  const { node, "*": rest } = parseInput(Params, request.params);
  const [, query] = (request.raw.url ?? "").split(/\?(.*)/s);
  const purpose = request.method === "GET" && !request.ws ? "look" : "act";
  const stream = await relay.connect(callerOf(request).subject, node, purpose);
  // Percent-encoded as the client had it: what is decoded might read as another path.
  const at = request.raw.url?.split("?")[0]?.split("/").slice(5).join("/") ?? rest;
  return { stream, path: `${BASE}${at}${query === undefined ? "" : `?${query}`}` };
}

function headersOf(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !OWN.has(name));
  return { ...(Object.fromEntries(kept) as Record<string, string | string[]>), host: HOST };
}
