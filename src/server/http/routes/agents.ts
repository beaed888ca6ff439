/** The doors for agents: a new one with its one-time token, the others by their signature. */

import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Door, signerOf } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import {
  BEAT_PATH,
  BOOTSTRAP_PATH,
  BOOTSTRAP_SCHEME,
  BootstrapRequest,
  KEY_PATH,
  KeyRequest,
  REGISTER_PATH,
  RegisterRequest,
} from "../../../protocol/fleet.ts";
import { Beat } from "../../../protocol/node.ts";
import type { Registration } from "../../nodes/registration.ts";

/** A report with the figures of a host's containers, in bytes. */
const MAX_BEAT = 2 * 1_048_576;

export function addAgents(
  app: FastifyInstance,
  { registration, door }: { registration: Registration; door: Door },
): void {
  const config = { access: "host" } as const;
  app.post(BOOTSTRAP_PATH, { config: { access: "anyone" } }, async (request, reply) => {
    const body = parseInput(BootstrapRequest, request.body);
    const token = bootstrapToken(request) ?? (await door.refuse(request, reply, "token"));
    return await registration.bootstrap(token, body);
  });
  app.post(REGISTER_PATH, { config }, async (request) =>
    registration.register(signerOf(request), parseInput(RegisterRequest, request.body).facts),
  );
  app.post(BEAT_PATH, { config, bodyLimit: MAX_BEAT }, async (request) =>
    registration.beat(signerOf(request), parseInput(Beat, request.body), door.source(request).address),
  );
  app.post(KEY_PATH, { config }, async (request, reply) => {
    await registration.changeKey(signerOf(request), parseInput(KeyRequest, request.body));
    return await reply.code(204).send();
  });
}

function bootstrapToken({ headers: { authorization = "" } }: FastifyRequest): string | undefined {
  const [scheme, token, ...more] = authorization.split(" ");
  return scheme === BOOTSTRAP_SCHEME && more.length === 0 ? token : undefined;
}
