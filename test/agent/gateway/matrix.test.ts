import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fastify from "fastify";
import { WebSocket } from "ws";
import { RAW } from "../../../src/agent/gateway/framing.ts";
import { newSecret } from "../../../src/auth/secret.ts";
import { Client } from "../../../src/client/client.ts";
import { requireDeclarations } from "../../../src/door/declaration.ts";
import { NoQuery } from "../../../src/door/input.ts";
import { type Transport, browserTransport } from "../../../src/mux/transport.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import { V4, V5 } from "../../../src/protocol/remote-command.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { SESSIONS_PATH, SUBPROTOCOL, TICKET_PREFIX } from "../../../src/protocol/version.ts";
import {
  type Asking,
  bearer,
  code,
  type Front,
  json,
  offer,
  signIn,
  startFront,
  ticketOf,
  upgrade,
} from "../../support/front.ts";
import {
  BLUE,
  CONTAINERS,
  DESK,
  type Line,
  LINES,
  may,
  ON_HOST,
  type Operation,
  OPERATIONS,
  RED,
  ROUTES,
  SIGN_OUT,
  Verdict,
  type Visitor,
  VISITORS,
} from "./matrix.ts";

async function matrixFront(): Promise<Front> {
  return startFront({ tokens: VISITORS, desk: DESK });
}

suite("every door, for every right and scope", () => {
  test("has its line in this matrix, and says who may use it", async () => {
    await using front = await matrixFront();
    const found = front.gateway.routes.map(({ method, url }) => `${method} ${url}`);
    assert.deepEqual(found.toSorted(), Object.keys(ROUTES).toSorted());
    for (const { method, url, access, speaks: spoken } of front.gateway.routes) {
      const lines = ROUTES[`${method} ${url}`] ?? [];
      assert.deepEqual([...new Set(lines.map(({ needs, door = needs }) => door))], [access], url);
      assert.ok(
        lines.every(({ speaks }) => (speaks === undefined ? spoken === undefined : spoken?.includes(speaks))),
        url,
      );
    }
  });

  test("cannot be added without declaring itself", async () => {
    const app = fastify({ exposeHeadRoutes: false });
    const routes = requireDeclarations(app);
    const schema = { summary: "Guarded.", querystring: NoQuery, response: { 204: { description: "Nothing." } } };
    const config = { access: "exec" } as const;
    app.get("/guarded", { config, schema }, async () => "");
    assert.throws(() => app.get("/open", { schema }, async () => ""), /GET \/open does not declare who may use it/);
    for (const [url, left, words] of [
      ["/mute", { summary: "" }, /what it does/],
      ["/:id", {}, /its parameters/],
      ["/query", { querystring: undefined }, /its query/],
      ["/answer", { response: undefined }, /its answers/],
    ] as const)
      assert.throws(() => app.get(url, { config, schema: { ...schema, ...left } }, async () => ""), words);
    assert.deepEqual(
      routes.map(({ method, url, access }) => ({ method, url, access })),
      [{ method: "GET", url: "/guarded", access: "exec" }],
    );
    await app.close();
  });

  test("lets a token do what its grant says, and nothing else", async () => {
    await using front = await matrixFront();
    const verdict = new Verdict();
    for (const visitor of VISITORS) await tryRoutes(front, visitor, { proof: [bearer(visitor.token)], verdict });
    verdict.check(VISITORS.length * LINES);
  });

  test("lets a page do what its issuer's grant says, and nothing else", async () => {
    await using front = await matrixFront();
    const verdict = new Verdict();
    for (const visitor of VISITORS) {
      const { proof } = await signIn(front, visitor.token);
      await tryRoutes(front, visitor, { proof, verdict, ticket: () => ticketOf(front, proof) });
    }
    verdict.check(VISITORS.length * LINES);
  });

  test("lets nobody in who has no proof, or a wrong or withdrawn one", async () => {
    await using front = await matrixFront();
    const verdict = new Verdict();
    const withdrawn = newSecret();
    const page = await signIn(front, VISITORS.at(-1)?.token);
    front.credentials.tokens.revoke(VISITORS.at(-1)?.name ?? "");
    const origin = `Origin: ${front.url}`;
    const proofs = [
      [origin],
      [bearer(withdrawn)],
      [bearer(VISITORS.at(-1)?.token ?? "")],
      [page.cookie, origin],
      page.proof,
    ];
    for (const proof of proofs)
      for (const [route, lines] of Object.entries(ROUTES))
        for (const line of lines) {
          const { needs } = line;
          const status = await send(front, route, { line, proof });
          verdict.note(`${route} ${proof.join()}`, {
            expected: needs === "anyone",
            through: ![401, 403, 404].includes(status),
          });
          front.clock.ahead += 60_000;
        }
    verdict.check(proofs.length * LINES);
  });

  test("shows a list of what may be seen", async () => {
    await using front = await matrixFront();
    for (const visitor of VISITORS) {
      const answer = await front.ask({ path: "/api/v1/containers", headers: [bearer(visitor.token)] });
      const listed = answer.status === 200 ? (json(answer)["containers"] as { name: string }[]) : [];
      const expected = CONTAINERS.map(({ name }) => name).filter((name) => may(visitor, "list", name));
      assert.deepEqual(
        listed.map(({ name }) => name),
        expected,
        visitor.name,
      );
    }
  });

  test("opens the sessions that the grant allows, with a token and with a ticket, and no other", async () => {
    await using front = await matrixFront();
    const verdict = new Verdict();
    for (const visitor of VISITORS) {
      const { proof, cookie, origin } = await signIn(front, visitor.token);
      const ways = {
        token: async () => connection(front, [], { Authorization: `Bearer ${visitor.token}` }),
        ticket: async () => {
          const headers = { Cookie: cookie.slice(8), Origin: origin.slice(8) };
          return connection(front, [`${TICKET_PREFIX}${await ticketOf(front, proof)}`], headers);
        },
      };
      for (const [way, dial] of Object.entries(ways)) await tryOperations(visitor, { way, dial, verdict });
    }
    verdict.check(VISITORS.length * 2 * (Object.keys(OPERATIONS).length * 2 + Object.keys(ON_HOST).length));
  });
});

suite("absent and forbidden", () => {
  const token = newSecret();
  const rights = ["list", "inspect", "logs", "exec", "attach-ro", "attach-rw", "forward", "lifecycle"] as const;
  const grant: Grant = { subject: "blue", rights, scopes: [{ team: "blue" }] };

  /** The same agent twice: in one the red container exists, in the other it does not. */
  async function worlds() {
    const [with_, without] = await Promise.all(
      [CONTAINERS, [BLUE]].map((containers) => startFront({ tokens: [{ token, grant }], desk: { containers } })),
    );
    if (!with_ || !without) throw new Error("unreachable");
    return {
      fronts: [with_, without] as const,
      close: () => Promise.all([with_, without].map((it) => it[Symbol.asyncDispose]())),
    };
  }

  test("answer a request with the same bytes", async () => {
    const { fronts, close } = await worlds();
    const references = [
      "red",
      RED.id,
      RED.id.slice(0, 12),
      "re",
      "RED",
      "rde",
      "nothing",
      "a/b",
      "%00",
      "x".repeat(256),
    ];
    const doors: Record<string, string[] | { method: string }> = {
      "": [],
      "/logs": [],
      "/stats": [],
      "/stats?watch": [],
      "/start": { method: "POST" },
      "/stop?timeout=1": { method: "POST" },
      "/restart": { method: "POST" },
      "?force=true": { method: "DELETE" },
      "/exec?command=true&stdout=true": upgrade(offer(undefined, V5)),
      "/attach?stdout=true": upgrade(offer(undefined, V5)),
      "/attach?stdin=true": upgrade(offer(undefined, V4)),
      "/ports/80": upgrade(offer(undefined, RAW)),
    };
    for (const reference of references)
      for (const [door, how] of Object.entries(doors)) {
        const path = `/api/v1/containers/${encodeURIComponent(reference)}${door}`;
        const { headers = [], ...more }: Asking = Array.isArray(how) ? { headers: how } : how;
        const asking = { ...more, path, headers: [...headers, bearer(token)] };
        const [one, other] = await Promise.all(fronts.map((front) => front.ask(asking)));
        assert.equal(one?.status, 404, path);
        assert.equal(one?.bytes, other?.bytes, path);
      }
    await close();
  });

  test("answer a session with the same words", async () => {
    const { fronts, close } = await worlds();
    for (const reference of ["red", RED.id, RED.id.slice(0, 12), "nothing"]) {
      const [one, other] = await Promise.all(
        fronts.map(async (front) => {
          const dial = () => connection(front, [], { Authorization: `Bearer ${token}` });
          const client = new Client({ software: "test", dial });
          const exec = client.exec(reference, { command: ["true"], tty: false, stdin: false });
          const refusal = await exec.then(
            () => undefined,
            (error: FairleadError) => error.problem(),
          );
          await client.close();
          return refusal;
        }),
      );
      assert.equal(one?.code, "not-found");
      assert.deepEqual(one, other);
    }
    await close();
  });

  test("look alike for whole routes", async () => {
    const { fronts, close } = await worlds();
    const [front] = fronts;
    const ask = (path: string, method = "GET") => front.ask({ path, method, headers: [bearer(token)] });
    const nowhere = await ask("/nowhere");
    assert.equal(code(nowhere), "not-found");
    for (const path of ["/metrics", "/api/v1/nothing", "/api/v1", "/api/v2/containers"])
      assert.equal((await ask(path)).bytes, nowhere.bytes, path);
    assert.equal((await ask("/api/v1/codes", "POST")).bytes, nowhere.bytes);
    await close();
  });
});

interface Trial {
  proof: string[];
  verdict: Verdict;
  /** A WebSocket of a page needs one. */
  ticket?: () => Promise<string>;
}

async function tryRoutes(front: Front, visitor: Visitor, { proof, verdict, ticket }: Trial): Promise<void> {
  const attempt = async (route: string, line: Line) => {
    const status = await send(front, route, { line, proof, ticket: line.speaks && (await ticket?.()) });
    verdict.note(`${visitor.name}: ${route} ${line.asking?.path ?? ""}`, {
      expected: may(visitor, line.needs, line.on),
      through: ![401, 403, 404].includes(status),
    });
  };
  const { [SIGN_OUT]: last = [], ...routes } = ROUTES;
  // All at once: the engine is asked about unknown containers a few times a second only.
  await Promise.all(Object.entries(routes).flatMap(([route, lines]) => lines.map((line) => attempt(route, line))));
  for (const line of last) await attempt(SIGN_OUT, line);
  // Codes would otherwise run out.
  front.clock.ahead += 15 * 60_000;
}

interface Attempt {
  line: Line;
  proof: string[];
  ticket?: string | undefined;
}

/** The status of the answer: 101 for a WebSocket that opens. */
async function send(front: Front, route: string, { line, proof, ticket }: Attempt): Promise<number> {
  const [method = "", path = ""] = route.split(" ");
  const asking = { method, path, ...line.asking };
  if (line.speaks === undefined) return (await front.ask({ ...asking, headers: proof })).status;
  return handshakeStatus(front, asking.path, [offer(ticket, line.speaks), ...proof]);
}

interface Ways {
  way: string;
  dial: () => Promise<Transport>;
  verdict: Verdict;
}

async function tryOperations(visitor: Visitor, { way, dial, verdict }: Ways): Promise<void> {
  const client = new Client({ software: "test", dial });
  const attempt = async (operation: string, { needs, open }: Operation, name?: string) => {
    const through = await open(client, name ?? "").then(
      async (session) => (await session.close(), true),
      (error: unknown) => {
        assert.ok(error instanceof FairleadError && error.code === "not-found", `${visitor.name}: ${String(error)}`);
        return false;
      },
    );
    verdict.note(`${visitor.name} by ${way}: ${operation} ${name ?? ""}`, {
      expected: may(visitor, needs, name),
      through,
    });
  };
  const all = Object.entries(OPERATIONS);
  await Promise.all(CONTAINERS.flatMap(({ name }) => all.map(([operation, what]) => attempt(operation, what, name))));
  await Promise.all(Object.entries(ON_HOST).map(([operation, what]) => attempt(operation, what)));
  await client.close();
}

/** 101 or the status of the refusal. */
async function handshakeStatus(front: Front, path: string, headers: string[]): Promise<number> {
  const wanted = new Set(["authorization", "cookie", "origin", "sec-websocket-protocol"]);
  const pairs = headers.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const);
  const chosen = Object.fromEntries(pairs.filter(([name]) => wanted.has(name.toLowerCase())));
  const { "Sec-WebSocket-Protocol": protocols = "", ...rest } = chosen;
  const socket = socketFor(front, { path, protocols: protocols.split(", ") }, rest);
  return new Promise((resolve) => {
    socket.once("open", () => (socket.terminate(), resolve(101)));
    socket.once("unexpected-response", (_request, response) => (socket.terminate(), resolve(response.statusCode ?? 0)));
    socket.once("error", () => undefined);
  });
}

function socketFor(
  front: Front,
  { path = SESSIONS_PATH, protocols }: { path?: string; protocols: string[] },
  headers: Record<string, string>,
): WebSocket {
  return new WebSocket(`ws://${front.host}${path}`, protocols, { headers, perMessageDeflate: false });
}

/** The transport is made in the tick in which the socket opens, so that nothing is missed. */
function connection(front: Front, protocols: string[], headers: Record<string, string>): Promise<Transport> {
  const socket = socketFor(front, { protocols: [SUBPROTOCOL, ...protocols] }, headers);
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(browserTransport(socket)));
    socket.once("error", reject);
  });
}
