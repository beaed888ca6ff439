/** The OpenAPI 3.1 document, made from what the routes declare, and its own route. */

import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { type ErrorCode, ERRORS, Problem } from "../protocol/errors.ts";
import { PAGE_SECRET_HEADER } from "../protocol/version.ts";
import type { Access, App, Route } from "./declaration.ts";
import { NoQuery } from "./input.ts";
import { PROBLEM_TYPE } from "./problems.ts";

const JSON_TYPE = "application/json";
/** What every request may be refused with; then every one that needs a proof, and every one that has a body. */
const ALWAYS: ErrorCode[] = ["bad-request", "wrong-origin", "wrong-host", "internal"];
const GUARDED: ErrorCode[] = ["unauthenticated", "not-found", "too-many", "shutting-down"];
const FOR_HOSTS: ErrorCode[] = ["clock-skew", "replayed", "revoked", "unknown-node", "stale-epoch"];
const WITH_BODY: ErrorCode[] = ["too-large"];
const SECURITY = [{ token: [] }, { pageCookie: [], pageSecret: [] }];
const HOST_SECURITY = [{ hostSignature: [] }];

const COMPONENTS = {
  schemas: { Problem: schemaOf(Problem) },
  securitySchemes: {
    token: { type: "http", scheme: "bearer", description: "The program's own token, or one that it knows." },
    pageCookie: { type: "apiKey", in: "cookie", name: "fairlead-PORT", description: "Of a page, with its secret." },
    pageSecret: { type: "apiKey", in: "header", name: PAGE_SECRET_HEADER, description: "Of a page, with its cookie." },
    hostSignature: { type: "apiKey", in: "header", name: "Signature", description: "Of an agent (RFC 9421)." },
  },
};

const DESCRIPTION =
  "A WebSocket is a GET with `x-websocket`, which names the subprotocols that are spoken; what may be refused is refused " +
  "before the upgrade, as a problem document. `x-right` is the right that the caller's grant must hold; what he may not " +
  "use answers like what does not exist.";

const SCHEMA = {
  summary: "This document.",
  querystring: NoQuery,
  response: { 200: z.object({ openapi: z.string() }).loose() },
} as const;

interface Described {
  /** Complete when the first request comes. */
  routes: readonly Route[];
  version: string;
}

export function addOpenApi(app: App, { routes, version }: Described): void {
  let made: object | undefined;
  app.get("/api/v1/openapi.json", { config: { access: "signed-in" }, schema: SCHEMA }, async () => {
    made ??= documentOf(routes, version);
    return made;
  });
}

function documentOf(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (route.file) continue;
    const path = (paths[pathOf(route.url)] ??= {});
    path[route.method.toLowerCase()] = operation(route);
  }
  const info = { title: "Fairlead", version, description: DESCRIPTION };
  return { openapi: "3.1.0", info, paths, components: COMPONENTS };
}

/** A route for everything below it has a last parameter with slashes in it, `path`. */
function pathOf(url: string): string {
  return url.replaceAll(/:(\w+)/g, "{$1}").replace(/\*$/, "{path}");
}

function operation(route: Route): object {
  const { method, url, access, speaks, schema } = route;
  const { summary, description, params, querystring, body } = schema;
  const words = pathOf(url)
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "" && word !== "api" && word !== "v1");
  return {
    operationId: method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join(""),
    summary,
    ...(description && { description }),
    ...securityOf(access),
    ...(speaks && { "x-websocket": { subprotocols: speaks } }),
    parameters: [...parameters("path", params), ...parameters("query", querystring)],
    ...(body !== undefined && { requestBody: { required: true, content: content(body) } }),
    responses: { ...answers(route), ...refusals(route) },
  };
}

function securityOf(access: Access): object {
  if (access === "anyone") return { security: [] };
  return access === "host" ? { security: HOST_SECURITY } : { security: SECURITY, "x-right": access };
}

/** A schema of an object becomes a parameter for each of its members. */
function parameters(place: "path" | "query", schema: unknown): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema);
  return Object.entries(properties).map(([name, value]) => {
    const { description, ...rest } = value as z.core.JSONSchema.BaseSchema;
    return {
      name: name === "*" ? "path" : name,
      in: place,
      required: required.includes(name),
      ...(description && { description }),
      schema: rest,
    };
  });
}

function answers({ schema, speaks }: Route): Record<string, object> {
  const declared: Record<string, object> = speaks ? { 101: { description: "The WebSocket is open." } } : {};
  for (const [status, answer] of Object.entries(schema.response ?? {}))
    declared[status] = answer instanceof z.core.$ZodType ? jsonAnswer(status, answer) : response(answer);
  return declared;
}

function jsonAnswer(status: string, schema: z.core.$ZodType): object {
  return { description: STATUS_CODES[status] ?? status, content: content(schema) };
}

/** A response object as it is declared, but for its schemas. */
function response(declared: { content?: Record<string, { schema: unknown }> }): object {
  if (!declared.content) return declared;
  const types = Object.entries(declared.content).map(([type, { schema }]) => [type, { schema: schemaOf(schema) }]);
  return { ...declared, content: Object.fromEntries(types) };
}

/** One answer for each status that a refusal may have. */
function refusals({ access, schema, method }: Route): Record<string, object> {
  const codes = [
    ...ALWAYS,
    ...(access === "anyone" ? [] : GUARDED),
    ...(access === "host" ? FOR_HOSTS : []),
    ...(method === "POST" || method === "PUT" || method === "PATCH" ? WITH_BODY : []),
    ...(schema.problems ?? []),
  ];
  const words: Record<number, string> = {};
  for (const code of new Set(codes)) {
    const { http, title } = ERRORS[code];
    words[http] = [...(words[http] ? [words[http]] : []), `${title} (\`${code}\`).`].join(" ");
  }
  const body = { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } };
  return Object.fromEntries(
    Object.entries(words).map(([status, description]) => [status, { description, content: body }]),
  );
}

function content(schema: unknown): object {
  return { [JSON_TYPE]: { schema: schemaOf(schema) } };
}

/** What a program sends, and what it may meet: members that it does not know are for a later version. */
function schemaOf(schema: unknown): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema as z.core.$ZodType, { io: "input" });
  return rest;
}
