/** The HTTP framework, set up once: other hosts first, then the choke point before every route, problem documents for every error, a line for every answer. */

import type { RequestListener, Server } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { contentDigest } from "../auth/signature.ts";
import { FairleadError } from "../protocol/errors.ts";
import { REQUEST_ID_HEADER } from "../protocol/version.ts";
import type { App } from "./declaration.ts";
import type { Door } from "./door.ts";
import { refuseBroken } from "./listener.ts";
import type { DoorMetrics } from "./metrics.ts";
import type { Log } from "./options.ts";
import { type OtherHosts, ownUpgrades } from "./other-hosts.ts";
import { SAFE_HEADERS } from "./page.ts";
import { Pipelines } from "./pipelines.ts";
import { absent, sendProblem } from "./problems.ts";
import { nameRequest } from "./request-id.ts";
import { addSockets } from "./sockets.ts";

const MAX_BODY = 16_384;
/** A container reference of 256 characters, each of them percent-encoded. */
const MAX_PARAM = 768;

/** Of answers: somebody may be trying what he should not. */
const SUSPECT: ReadonlySet<number> = new Set([401, 403, 421, 429]);

export interface AppParts {
  listener: (handler: RequestListener) => Server;
  door: Door;
  others: OtherHosts;
  log: Log;
  metrics: DoorMetrics;
  /** Puts anything thrown into words for people. */
  understand: (error: unknown) => FairleadError;
}

export async function createApp(parts: AppParts): Promise<App> {
  const { listener, door, others, log, metrics, understand } = parts;
  const pipelines = new Pipelines();
  const app = fastify({
    serverFactory: (handler) =>
      listener((request, response) => {
        pipelines.add(request, response);
        if (!others.request(request, response)) handler(request, response);
      }),
    clientErrorHandler: (error, socket) => {
      if (error.code !== "ERR_HTTP_REQUEST_TIMEOUT" || !others.serves(socket)) refuseBroken(error, socket);
    },
    genReqId: nameRequest,
    frameworkErrors: refuseUnroutable,
    logger: false,
    bodyLimit: MAX_BODY,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM, caseSensitive: true },
  });
  // First, so that the door can tell a WebSocket from a request.
  await addSockets(app, ownUpgrades(app.server, { others, pipelines }));
  app.decorateRequest("authority", "");
  app.decorateRequest("identity", undefined);
  app.decorateRequest("signer", undefined);
  app.decorateRequest("refusal", undefined);
  app.addHook("onRequest", async ({ id }, reply) => void reply.headers({ ...SAFE_HEADERS, [REQUEST_ID_HEADER]: id }));
  app.addHook("onRequest", (request, reply) => door.enter(request, reply));
  app.addHook("onResponse", async (request, reply) => note(request, reply, { door, log, metrics }));
  app.setNotFoundHandler(() => {
    throw absent();
  });
  app.setErrorHandler((error, request, reply) => {
    const told = understand(error);
    metrics.refused(told.code);
    request.refusal = told.code;
    return answerError(told, { error, request, reply, log });
  });
  acceptJsonOnly(app);
  return app.withTypeProvider();
}

interface Failed {
  error: unknown;
  request: FastifyRequest;
  reply: FastifyReply;
  log: Log;
}

function answerError(told: FairleadError, { error, request, reply, log }: Failed): FastifyReply {
  if (told.code === "internal")
    log.error({ request: request.id, err: error, route: routeOf(request) }, "a request failed");
  return sendProblem(reply, told);
}

/** An address that cannot be decoded has no route, and no hook ever sees it. */
function refuseUnroutable(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { socket } = request.raw;
  reply.raw.once("finish", () => socket.destroySoon());
  void reply.headers({ ...SAFE_HEADERS, [REQUEST_ID_HEADER]: request.id, connection: "close" });
  sendProblem(reply, new FairleadError("bad-request", "The request's address cannot be decoded."));
}

/** Of a request only what tells nothing secret: never its address, its headers or its body. */
function note(
  request: FastifyRequest,
  reply: FastifyReply,
  { door, log, metrics }: Pick<AppParts, "door" | "log" | "metrics">,
): void {
  const { id, method, identity } = request;
  const fields = {
    request: id,
    method,
    route: routeOf(request),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
  };
  metrics.answered(fields.route, fields.status);
  const who = { source: door.source(request).address, subject: identity?.subject.grant.subject };
  if (request.refusal === undefined) return log.debug({ ...fields, ...who }, "answered a request");
  const level = fields.status >= 500 || SUSPECT.has(fields.status) ? "warn" : "info";
  log[level]({ ...fields, code: request.refusal, ...who }, "refused a request");
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "none";
}

function altered(): FairleadError {
  return new FairleadError("unauthenticated", "The request's body is not the one that was signed.");
}

/** No body at all is fine where none is needed; anything that is not JSON, or would change prototypes, is refused. */
function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (request.signer && contentDigest(String(body)) !== request.signer.digest) done(altered(), undefined);
    else if (body === "") done(null, undefined);
    else void parse(request, String(body), done);
  });
}
