import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { after, suite, test } from "node:test";
import { WebSocket } from "ws";
import { z } from "zod";
import { newSecret } from "../../../src/auth/secret.ts";
import { startFront } from "./front.ts";

type Json = z.core.JSONSchema.JSONSchema;

interface Parameter {
  name: string;
  in: "path" | "query";
  required: boolean;
  schema: Json;
}

interface Operation {
  method: string;
  path: string;
  security?: unknown[];
  "x-websocket"?: { subprotocols: string[] };
  parameters: Parameter[];
  requestBody?: { content: { "application/json": { schema: Json } } };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

/** What the parameters and members of that name are here, where a schema alone does not tell. */
const KNOWN: Record<string, string> = { ref: "web", port: "80", command: "true", stdout: "true" };
/** For those without one: the first that a schema accepts, and the first that it does not. */
const CANDIDATES = ["true", "1", "10m", "a", "80", "2024-05-01T10:00:00Z", "x".repeat(64), "f".repeat(24)];
const WRONG = ["", "no such thing", "-1", "x".repeat(300)];
/** Long enough for the machine. */
const ANSWER_MS = 20_000;
const WITHOUT_RIGHTS = newSecret();

const front = await startFront({
  tokens: [{ token: WITHOUT_RIGHTS, grant: { subject: "token:none", rights: [], scopes: [] } }],
  desk: {
    exec: async () => ({ code: 0 }),
    logs: async function* () {},
    dial: () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
  },
});
const text = await (await ask("/api/v1/openapi.json")).text();
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
);
const [sockets, requests] = [operations.filter(isSocket), operations.filter((it) => !isSocket(it))];

suite("the OpenAPI document", () => {
  after(() => front[Symbol.asyncDispose]());

  test("names every route but the page's files, each with words and under an id of its own", () => {
    assert.equal(document.openapi, "3.1.0");
    const named = operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`);
    const routes = front.gateway.routes.map(({ method, url }) => `${method} ${url}`);
    assert.deepEqual(named.toSorted(), routes.toSorted());
    assert.ok(named.length >= 18, `${named.length} operations`);
    const ids = operations.map((operation) => (operation as unknown as { operationId: string }).operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  test("leaves nothing out under /api", async () => {
    await using withPage = await startFront({
      gateway: { uiDirectory: new URL("../../../public", import.meta.url).pathname },
    });
    const hidden = withPage.gateway.routes.filter(({ file }) => file).map(({ url }) => url);
    assert.ok(hidden.includes("/"));
    assert.deepEqual(
      hidden.filter((url) => url.startsWith("/api")),
      [],
    );
  });

  for (const operation of requests) {
    const name = `${operation.method} ${operation.path}`;
    test(`tells what ${name} answers`, async () => {
      for (const query of goodQueries(operation)) await check(operation, await send(operation, { query }));
    });

    test(`tells what ${name} refuses`, async () => {
      for (const [query, words] of badQueries(operation)) {
        const answer = await send(operation, { query });
        assert.equal(answer.status, 400, `${name} ${words}`);
        await check(operation, answer);
      }
      if (operation.requestBody) {
        const answer = await send(operation, { body: "{}" });
        assert.equal(answer.status, 400);
        await check(operation, answer);
      }
      if (operation.security?.length === 0) return;
      const stranger = await send(operation, { token: "" });
      assert.equal(stranger.status, 401);
      await check(operation, stranger);
      await check(operation, await send(operation, { token: WITHOUT_RIGHTS }));
    });
  }

  for (const operation of sockets) {
    const name = `the WebSocket ${operation.path}`;
    test(`tells what ${name} speaks`, async () => {
      const { subprotocols = [] } = operation["x-websocket"] ?? {};
      for (const subprotocol of subprotocols) assert.equal(await upgrade(operation, { subprotocol }), 101, subprotocol);
    });

    test(`tells what ${name} refuses`, async () => {
      const [subprotocol = ""] = operation["x-websocket"]?.subprotocols ?? [];
      for (const [query, words] of badQueries(operation))
        assert.equal(await upgrade(operation, { subprotocol, query }), 400, words);
      assert.equal(await upgrade(operation, { subprotocol: "another.protocol" }), 400);
      assert.equal(await upgrade(operation, { subprotocol, token: "" }), 401);
      await check(operation, await send(operation, {}));
    });
  }
});

function isSocket(operation: Operation): boolean {
  return operation["x-websocket"] !== undefined;
}

interface Attempt {
  query?: string;
  token?: string;
  body?: string;
}

function ask(path: string, { token = front.admin, ...init }: RequestInit & { token?: string } = {}): Promise<Response> {
  // Without a token it is a page of ours that asks.
  const who = token === "" ? { origin: front.url } : { authorization: `Bearer ${token}` };
  const headers = { ...who, ...(init.body ? { "content-type": "application/json" } : {}) };
  return fetch(front.url + path, { ...init, headers, signal: AbortSignal.timeout(ANSWER_MS) });
}

function send(operation: Operation, { query = goodQuery(operation), token, body }: Attempt): Promise<Response> {
  const sent = body ?? goodBody(operation);
  return ask(addressOf(operation, query), {
    method: operation.method,
    ...(token !== undefined && { token }),
    ...(sent !== undefined && { body: sent }),
  });
}

/** 101, or the status of the refusal, which must be declared. */
async function upgrade(
  operation: Operation,
  { subprotocol, query = goodQuery(operation), token = front.admin }: Attempt & { subprotocol: string },
): Promise<number> {
  const headers = token === "" ? { origin: front.url } : { authorization: `Bearer ${token}` };
  const address = `ws://${front.host}${addressOf(operation, query)}`;
  const socket = new WebSocket(address, subprotocol === "" ? [] : [subprotocol], { headers });
  const status = await new Promise<number>((resolve) => {
    socket.once("open", () => (socket.terminate(), resolve(101)));
    socket.once("unexpected-response", (_request, response) => (socket.terminate(), resolve(response.statusCode ?? 0)));
    socket.on("error", () => undefined);
  });
  assert.ok(operation.responses[status], `${operation.path} answered ${status}`);
  return status;
}

function addressOf({ path }: Operation, query: string): string {
  return `${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => KNOWN[name] ?? `no-${name}`)}${query && `?${query}`}`;
}

/** Nothing is answered but what is declared: its status, its type, and no member that is not. */
async function check({ responses, method, path }: Operation, answer: Response): Promise<void> {
  const declared = responses[answer.status];
  assert.ok(declared, `${method} ${path} answered ${answer.status}`);
  if (!declared.content || method === "HEAD") return assert.equal(await answer.text(), "");
  const type = (answer.headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
  const schema = declared.content[type]?.schema;
  assert.ok(schema, `${method} ${path} answered ${answer.status} with ${type}`);
  const value = await valueOf(answer, type);
  // Of nothing there are no lines.
  if (value === "") return;
  const parsed = z.fromJSONSchema(closed(schema)).safeParse(value);
  assert.ok(parsed.success, `${method} ${path} ${answer.status}: ${parsed.error?.message}`);
}

/** Of an answer that goes on, its first line. */
async function valueOf(answer: Response, type: string): Promise<unknown> {
  if (type === "text/plain") return answer.text();
  if (type !== "application/x-ndjson") return answer.json();
  let line = "";
  for await (const chunk of answer.body ?? []) {
    line += Buffer.from(chunk).toString();
    if (line.includes("\n")) break;
  }
  return line === "" ? "" : JSON.parse(line.slice(0, line.indexOf("\n")));
}

/** The schema with its references put in, and closed to members that it does not name. */
function closed(schema: Json): Json {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    if ("$ref" in value) return visit(document.components.schemas[String(value.$ref).split("/").at(-1) ?? ""]);
    const seen = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, visit(part)]));
    return "properties" in seen ? { additionalProperties: false, ...seen } : seen;
  };
  return visit(schema) as Json;
}

function accepts(schema: Json, value: unknown): boolean {
  return z.fromJSONSchema(schema).safeParse(value).success;
}

function goodValue({ name, schema }: Pick<Parameter, "name" | "schema">): string {
  const found = [KNOWN[name] ?? "", ...CANDIDATES].find((candidate) => accepts(schema, candidate));
  if (found === undefined) throw new Error(`the test knows no good value for ${name}`);
  return found;
}

/** What is required, and where nothing is but something has to be named, all that is known by name. */
function goodQuery({ parameters }: Operation): string {
  const chosen = parameters.filter((it) => it.in === "query" && (it.required || KNOWN[it.name] !== undefined));
  return chosen.map((it) => `${it.name}=${goodValue(it)}`).join("&");
}

/** That one, and with each of the others beside it. */
function goodQueries(operation: Operation): string[] {
  const least = goodQuery(operation);
  const others = operation.parameters.filter((it) => it.in === "query" && !it.required && KNOWN[it.name] === undefined);
  return [least, ...others.map((it) => [least, `${it.name}=${goodValue(it)}`].filter(Boolean).join("&"))];
}

/** With a name that is not declared, and each parameter with a value that its schema refuses, or twice. */
function badQueries(operation: Operation): [string, string][] {
  if (!operation.path.startsWith("/api/")) return [];
  const least = goodQuery(operation);
  const and = (more: string) => [least, more].filter(Boolean).join("&");
  const found: [string, string][] = [[and("no-such-parameter=1"), "an unknown parameter"]];
  for (const { name, in: place, schema } of operation.parameters) {
    if (place !== "query") continue;
    const rest = new URLSearchParams(least);
    rest.delete(name);
    const wrong = WRONG.find((candidate) => !accepts(schema, candidate));
    if (wrong !== undefined) {
      rest.append(name, wrong);
      found.push([rest.toString(), `${name}=${wrong}`]);
    }
    if (!accepts(schema, ["true", "true"])) found.push([`${String(rest)}&${name}=true&${name}=true`, `${name} twice`]);
  }
  return found;
}

function goodBody({ requestBody }: Operation): string | undefined {
  if (!requestBody) return undefined;
  const { properties = {} } = requestBody.content["application/json"].schema as { properties?: Record<string, Json> };
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [
        name,
        accepts(schema, 80) ? 80 : goodValue({ name, schema }),
      ]),
    ),
  );
}
