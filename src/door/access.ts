/** Every route says who may use it; one that does not is refused before the program starts. */

import type { FastifyInstance } from "fastify";
import type { Right } from "../protocol/rights.ts";
import type { HostIdentity, Identity } from "./identity.ts";

/**
 * `anyone`: no proof needed. `signed-in`: somebody, whatever his rights. `host`: an agent, by its signature. Else the right
 * that the caller's grant must hold.
 */
export type Access = "anyone" | "signed-in" | "host" | Right;

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** The route is a WebSocket, or may be one; any other refuses to be upgraded. */
    socket?: boolean | "either";
    /** Not for those who come through a server: what it gives would outlive what the server says of them. */
    direct?: boolean;
  }
  interface FastifyRequest {
    /** The Host header, once it was found to be ours. */
    authority: string;
    /** Set for every route that is not for `anyone` or a `host`. */
    identity: Identity | undefined;
    /** Set for every route that is for a `host`. */
    signer: HostIdentity | undefined;
  }
}

export interface Route {
  method: string;
  url: string;
  access: Access;
  socket: boolean | "either";
}

/** Writes down every route added after this call; throws when one comes without saying who may use it. */
export function requireAccess(app: FastifyInstance): readonly Route[] {
  const routes: Route[] = [];
  app.addHook("onRoute", ({ method, url, config }) => {
    const { access, socket = false } = config ?? {};
    if (access === undefined) throw new Error(`The route ${String(method)} ${url} does not say who may use it.`);
    for (const one of [method].flat()) routes.push({ method: one, url, access, socket });
  });
  return routes;
}
