/** The doors for agents: a new one with its one-time token, the others by their signature. */

import type { FastifyRequest } from "fastify";
import type { App } from "../../../door/declaration.ts";
import { type Door, signerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import {
  BEAT_PATH,
  BeatReply,
  BOOTSTRAP_PATH,
  BOOTSTRAP_SCHEME,
  BootstrapRequest,
  KEY_PATH,
  KeyRequest,
  REGISTER_PATH,
  RegisterReply,
  RegisterRequest,
  SERVER_PATH,
  ServerQuery,
  ServerReply,
} from "../../../protocol/fleet.ts";
import { Beat } from "../../../protocol/node.ts";
import type { Registration } from "../../nodes/registration.ts";

/** A report with the figures of a host's containers, in bytes. */
const MAX_BEAT = 2 * 1_048_576;

const BOOTSTRAP = {
  summary: "A new host's key for its one-time token (`Authorization: Bootstrap TOKEN`).",
  querystring: NoQuery,
  body: BootstrapRequest,
  problems: ["unauthenticated", "too-many"],
  response: { 200: RegisterReply },
} as const;

const REGISTER = {
  summary: "A host that was let in begins anew, under the next epoch.",
  querystring: NoQuery,
  body: RegisterRequest,
  problems: ["cloned-identity"],
  response: { 200: RegisterReply },
} as const;

const BEAT = {
  summary: "A host's report.",
  querystring: NoQuery,
  body: Beat,
  response: { 200: BeatReply },
} as const;

const KEY = {
  summary: "A new key of a host; the old one is good until the new one is used.",
  querystring: NoQuery,
  body: KeyRequest,
  response: { 204: { description: "The key is known." } },
} as const;

const SERVER = {
  summary: "A proof that this server's certificate is its own, for agents that know it by another one.",
  querystring: ServerQuery,
  problems: ["not-found"],
  response: { 200: ServerReply },
} as const;

export function addAgents(app: App, { registration, door }: { registration: Registration; door: Door }): void {
  const config = { access: "host" } as const;
  app.post(BOOTSTRAP_PATH, { config: { access: "anyone" }, schema: BOOTSTRAP }, async (request, reply) => {
    const token = bootstrapToken(request) ?? (await door.refuse(request, reply, "token"));
    return await registration.bootstrap(token, request.body);
  });
  app.post(REGISTER_PATH, { config, schema: REGISTER }, async (request) =>
    registration.register(signerOf(request), request.body.facts),
  );
  app.post(BEAT_PATH, { config, schema: BEAT, bodyLimit: MAX_BEAT }, async (request) =>
    registration.beat(signerOf(request), request.body, door.source(request).address),
  );
  app.get(SERVER_PATH, { config: { access: "anyone" }, schema: SERVER }, async (request) =>
    registration.prove(request.query.nonce),
  );
  app.post(KEY_PATH, { config, schema: KEY }, async (request, reply) => {
    await registration.changeKey(signerOf(request), request.body);
    return await reply.code(204).send();
  });
}

function bootstrapToken({ headers: { authorization = "" } }: Pick<FastifyRequest, "headers">): string | undefined {
  const [scheme, token, ...more] = authorization.split(" ");
  return scheme === BOOTSTRAP_SCHEME && more.length === 0 ? token : undefined;
}
