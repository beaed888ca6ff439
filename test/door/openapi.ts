/** Checks a program against its own OpenAPI document: each operation is asked what it promises, and what it refuses. */

import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { WebSocket } from "ws";
import { z } from "zod";

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

/** Of a request, what is signed. */
export interface Sent {
  method: string;
  /** With the query. */
  target: string;
  body: string;
}

/** What a good request of one operation has, where the document alone does not tell. */
export interface Particulars {
  /** Parameters and members by name, before those of the program. */
  known?: Record<string, string>;
  body?: object;
  /** By which it proves itself, instead of the token. */
  headers?: Record<string, string> | ((request: Sent) => Record<string, string>);
}

/** A program that runs, and what is known of it. */
export interface Program {
  url: string;
  /** Of somebody who may do everything. */
  token: string;
  /** Of somebody who may do none of what is asked. */
  poor: string;
  /** `METHOD /path/:parameter` of every route that it has, without the page's files. */
  routes: string[];
  /** What the parameters and members of that name are here. */
  known: Record<string, string>;
  /** Operations whose requests, as this makes them, are refused in any case. */
  refused: string[];
  /** Asked anew before each request. */
  particulars?: (operation: string) => Promise<Particulars>;
  close: () => Promise<void>;
}

/** For those without one: the first that a schema accepts, and the first that it does not. */
const CANDIDATES = ["true", "1", "10m", "a", "80", "2024-05-01T10:00:00Z", "x".repeat(64), "f".repeat(24)];
const WRONG = ["", "no such thing", "-1", "x".repeat(300)];
/** Long enough for the machine. */
const ANSWER_MS = 20_000;

/** Registers the tests; `close` is called after them. */
export async function testDocument(program: Program): Promise<void> {
  const inquiry = await Inquiry.begin(program);
  const { operations } = inquiry;
  suite("the OpenAPI document", () => {
    after(() => program.close());

    test("names every route but the page's files, each with words and under an id of its own", () => {
      assert.equal(inquiry.document.openapi, "3.1.0");
      const named = operations.map((it) => nameOf(it).replaceAll(/\{(\w+)\}/g, ":$1"));
      assert.deepEqual(named.toSorted(), program.routes.map((route) => route.replace(/\*$/, ":path")).toSorted());
      assert.ok(named.length >= 18, `${named.length} operations`);
      const ids = operations.map((operation) => (operation as unknown as { operationId: string }).operationId);
      assert.equal(new Set(ids).size, ids.length);
    });

    for (const operation of operations) {
      const socket = isSocket(operation);
      const name = `${socket ? "the WebSocket " : ""}${nameOf(operation)}`;
      test(`tells what ${name} ${socket ? "speaks" : "answers"}`, () =>
        socket ? inquiry.speaks(operation) : inquiry.answers(operation));
      test(`tells what ${name} refuses`, () =>
        socket ? inquiry.refusesSocket(operation) : inquiry.refuses(operation));
    }
  });
}

interface Attempt {
  query?: string;
  token?: string;
  body?: string;
}

class Inquiry {
  readonly document: Document;
  readonly operations: Operation[];
  readonly #program: Program;

  static async begin(program: Program): Promise<Inquiry> {
    const headers = { authorization: `Bearer ${program.token}` };
    const answer = await fetch(`${program.url}/api/v1/openapi.json`, { headers });
    return new Inquiry(program, (await answer.json()) as Document);
  }

  constructor(program: Program, document: Document) {
    this.#program = program;
    this.document = document;
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
    );
  }

  /** With each good query. */
  async answers(operation: Operation): Promise<void> {
    for (const query of this.#goodQueries(operation)) {
      const answer = await this.#send(operation, { query });
      const { refused } = this.#program;
      assert.equal(answer.ok, !refused.includes(nameOf(operation)), `${nameOf(operation)} ${answer.status}`);
      await this.#check(operation, answer);
    }
  }

  async refuses(operation: Operation): Promise<void> {
    const name = nameOf(operation);
    for (const [query, words] of this.#badQueries(operation)) {
      const answer = await this.#send(operation, { query });
      assert.equal(answer.status, 400, `${name} ${words}`);
      await this.#check(operation, answer);
    }
    if (operation.requestBody) {
      const answer = await this.#send(operation, { body: '{"no such member":1}' });
      assert.equal(answer.status, 400);
      await this.#check(operation, answer);
    }
    if (operation.security?.length === 0) return;
    const stranger = await this.#send(operation, { token: "" });
    assert.equal(stranger.status, 401);
    await this.#check(operation, stranger);
    await this.#check(operation, await this.#send(operation, { token: this.#program.poor }));
  }

  async speaks(operation: Operation): Promise<void> {
    for (const subprotocol of operation["x-websocket"]?.subprotocols ?? [])
      assert.equal(await this.#upgrade(operation, { subprotocol }), 101, subprotocol);
  }

  async refusesSocket(operation: Operation): Promise<void> {
    const [subprotocol = ""] = operation["x-websocket"]?.subprotocols ?? [];
    for (const [query, words] of this.#badQueries(operation))
      assert.equal(await this.#upgrade(operation, { subprotocol, query }), 400, words);
    assert.equal(await this.#upgrade(operation, { subprotocol: "another.protocol" }), 400);
    assert.equal(await this.#upgrade(operation, { subprotocol, token: "" }), 401);
    await this.#check(operation, await this.#send(operation, {}));
  }

  async #send(operation: Operation, { query, token, body }: Attempt): Promise<Response> {
    const { method } = operation;
    const particulars = await this.#particulars(operation);
    const sent = body ?? this.#goodBody(operation, particulars);
    const target = this.#target(operation, particulars, query);
    const headers = this.#proof(particulars, token, { method, target, body: sent ?? "" });
    return fetch(this.#program.url + target, {
      method,
      headers: { ...headers, ...(sent !== undefined && { "content-type": "application/json" }) },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(sent !== undefined && { body: sent }),
    });
  }

  /** 101, or the status of the refusal, which must be declared. */
  async #upgrade(
    operation: Operation,
    { subprotocol, query, token }: Attempt & { subprotocol: string },
  ): Promise<number> {
    const particulars = await this.#particulars(operation);
    const target = this.#target(operation, particulars, query);
    const headers = this.#proof(particulars, token, { method: "GET", target, body: "" });
    const address = this.#program.url.replace("http", "ws") + target;
    const socket = new WebSocket(address, subprotocol === "" ? [] : [subprotocol], { headers });
    const status = await new Promise<number>((resolve) => {
      socket.once("open", () => (socket.terminate(), resolve(101)));
      socket.once("unexpected-response", (_request, answer) => (socket.terminate(), resolve(answer.statusCode ?? 0)));
      socket.on("error", () => undefined);
    });
    assert.ok(operation.responses[status], `${operation.path} answered ${status}`);
    return status;
  }

  async #particulars(operation: Operation): Promise<Particulars> {
    return (await this.#program.particulars?.(nameOf(operation))) ?? {};
  }

  /** Without a token it is a page of the program's own that asks. */
  #proof({ headers }: Particulars, token: string | undefined, sent: Sent): Record<string, string> {
    const { url } = this.#program;
    if (token === "") return { origin: url };
    if (token !== undefined || !headers) return { authorization: `Bearer ${token ?? this.#program.token}` };
    return typeof headers === "function" ? headers(sent) : headers;
  }

  #target(operation: Operation, { known }: Particulars, query = this.#goodQuery(operation)): string {
    const names = { ...this.#program.known, ...known };
    return `${operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? `no-${name}`)}${query && `?${query}`}`;
  }

  /** Nothing is answered but what is declared: its status, its type, and no member that is not. */
  async #check({ responses, method, path }: Operation, answer: Response): Promise<void> {
    const declared = responses[answer.status] ?? responses["default"];
    assert.ok(declared, `${method} ${path} answered ${answer.status}`);
    // Somebody else's answer, which is described elsewhere.
    if (declared === responses["default"]) return await answer.body?.cancel();
    if (!declared.content || method === "HEAD") return assert.equal(await answer.text(), "");
    const type = (answer.headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
    const schema = declared.content[type]?.schema;
    assert.ok(schema, `${method} ${path} answered ${answer.status} with ${type}`);
    const value = await valueOf(answer, type);
    // Of nothing there are no lines.
    if (value === "") return;
    const parsed = z.fromJSONSchema(this.#closed(schema)).safeParse(value);
    assert.ok(parsed.success, `${method} ${path} ${answer.status}: ${parsed.error?.message}`);
  }

  /** The schema with its references put in, and closed to members that it does not name. */
  #closed(schema: Json): Json {
    const visit = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(visit);
      if (typeof value !== "object" || value === null) return value;
      if ("$ref" in value) return visit(this.document.components.schemas[String(value.$ref).split("/").at(-1) ?? ""]);
      const seen = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, visit(part)]));
      return "properties" in seen ? { additionalProperties: false, ...seen } : seen;
    };
    return visit(schema) as Json;
  }

  #goodValue({ name, schema }: Pick<Parameter, "name" | "schema">): string {
    const candidates = [this.#program.known[name] ?? "", ...CANDIDATES];
    const found = candidates.find((candidate) => accepts(schema, candidate));
    if (found === undefined) throw new Error(`the test knows no good value for ${name}`);
    return found;
  }

  /** What is required, and where nothing is but something has to be named, all that is known by name. */
  #goodQuery({ parameters }: Operation): string {
    const { known } = this.#program;
    const chosen = parameters.filter((it) => it.in === "query" && (it.required || known[it.name] !== undefined));
    return chosen.map((it) => `${it.name}=${this.#goodValue(it)}`).join("&");
  }

  /** That one, and with each of the others beside it. */
  #goodQueries(operation: Operation): string[] {
    const { known } = this.#program;
    const least = this.#goodQuery(operation);
    const others = operation.parameters.filter(
      (it) => it.in === "query" && !it.required && known[it.name] === undefined,
    );
    return [least, ...others.map((it) => [least, `${it.name}=${this.#goodValue(it)}`].filter(Boolean).join("&"))];
  }

  /** With a name that is not declared, and each parameter with a value that its schema refuses, or twice. */
  #badQueries(operation: Operation): [string, string][] {
    if (!operation.path.startsWith("/api/") || operation.responses["default"]) return [];
    const least = this.#goodQuery(operation);
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
      if (!accepts(schema, ["true", "true"]))
        found.push([`${String(rest)}&${name}=true&${name}=true`, `${name} twice`]);
    }
    return found;
  }

  #goodBody({ requestBody }: Operation, { body }: Particulars): string | undefined {
    if (!requestBody) return undefined;
    if (body) return JSON.stringify(body);
    const { properties = {} } = requestBody.content["application/json"].schema as { properties?: Record<string, Json> };
    const values = Object.entries(properties).map(([name, schema]) => [
      name,
      accepts(schema, 80) ? 80 : this.#goodValue({ name, schema }),
    ]);
    return JSON.stringify(Object.fromEntries(values));
  }
}

function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}

function isSocket(operation: Operation): boolean {
  return operation["x-websocket"] !== undefined;
}

function accepts(schema: Json, value: unknown): boolean {
  return z.fromJSONSchema(schema).safeParse(value).success;
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
