/**
 * What every route says about itself where it is registered: who may use it, what it takes, what it answers. The same
 * declaration guards the route, validates what comes in and makes the document; a route without one keeps the program from
 * starting.
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifySchema, FastifyTypeProvider } from "fastify";
import type { z } from "zod";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Right } from "../protocol/rights.ts";
import type { HostIdentity, Identity } from "./identity.ts";
import { parseInput } from "./input.ts";

/**
 * `anyone`: no proof needed. `signed-in`: somebody, whatever his rights. `host`: an agent, by its signature. Else the right
 * that the caller's grant must hold.
 */
export type Access = "anyone" | "signed-in" | "host" | Right;

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** Of a WebSocket, and of nothing else: the subprotocols that are spoken. */
    speaks?: readonly string[];
    /** May also be a WebSocket, and whoever answers it chooses the subprotocol. */
    socket?: "either";
    /** Also for those who bring a pass of this host's server. */
    passes?: true;
    /** Not for those who come through a server: what it gives would outlive what the server says of them. */
    direct?: boolean;
    /** A file of the page, which is no part of the API. */
    file?: true;
  }
  /** `params`, `querystring` and `body` are zod schemas; a `response` is one too, of JSON, or a response object of OpenAPI with them in it. */
  interface FastifySchema {
    /** One line. */
    summary?: string;
    description?: string;
    /** What it may be refused with, beside what any request may be. */
    problems?: readonly ErrorCode[];
  }
  interface FastifyRequest {
    /** The Host header, once it was found to be ours. */
    authority: string;
    /** Set for every route that is not for `anyone` or a `host`. */
    identity: Identity | undefined;
    /** Set for every route that is for a `host`. */
    signer: HostIdentity | undefined;
    /** Of a request that was answered with a problem: its code. */
    refusal: ErrorCode | undefined;
  }
}

/** Handlers see what the schemas made of the request. */
interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this["schema"] extends z.core.$ZodType ? z.output<this["schema"]> : unknown;
}

/** What routes are added to. */
export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypes>;

export interface Route {
  method: string;
  url: string;
  access: Access;
  speaks: readonly string[] | undefined;
  file: true | undefined;
  schema: FastifySchema;
}

/** Writes down every route added after this call; throws when one comes that does not declare itself. */
export function requireDeclarations(app: FastifyInstance): readonly Route[] {
  const routes: Route[] = [];
  // Nothing but the schema decides, and nothing of a refused value is repeated.
  app.setValidatorCompiler<z.core.$ZodType>(({ schema }) => (value) => {
    try {
      return { value: parseInput(schema, value) };
    } catch (error) {
      return { error: error as Error };
    }
  });
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.addHook("onRoute", ({ method, url, config, schema = {} }) => {
    const { access, speaks, file } = config ?? {};
    const missing = access === undefined ? "who may use it" : file ? undefined : missingIn(schema, { url, speaks });
    if (access === undefined || missing)
      throw new Error(`The route ${String(method)} ${url} does not declare ${missing}.`);
    for (const one of [method].flat()) routes.push({ method: one, url, access, speaks, file, schema });
  });
  return routes;
}

function missingIn(schema: FastifySchema, { url, speaks }: Pick<Route, "url" | "speaks">): string | undefined {
  if (!schema.summary) return "what it does (schema.summary)";
  if (url.includes(":") && !schema.params) return "its parameters (schema.params)";
  if (!schema.querystring) return "its query (schema.querystring; NoQuery where there is none)";
  if (!schema.response && !speaks) return "its answers (schema.response)";
  return undefined;
}
