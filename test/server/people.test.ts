import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { FleetContainers } from "../../src/protocol/container.ts";
import {
  APPROVE_PATH,
  ASKED_PATH,
  AskedReply,
  DEVICE_PATH,
  DEVICE_TOKEN_PATH,
  DeviceReply,
  LOGIN_PATH,
  LOGIN_SCHEME,
  LoginReply,
  PendingReply,
  REFUSE_PATH,
  TokenList,
} from "../../src/protocol/login.ts";
import { readNdjson } from "../../src/protocol/ndjson.ts";
import { auditOf } from "../support/audit.ts";
import { keysIn } from "../support/database.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

suite("who may use the server", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  function post(path: string, body: object, authorization: string): Promise<Response> {
    const headers = { "content-type": "application/json", authorization };
    return fetch(server.url + path, { method: "POST", body: JSON.stringify(body), headers });
  }

  const login = (code: string) => post(LOGIN_PATH, { name: "me@here" }, `${LOGIN_SCHEME} ${code}`);
  const nodesWith = (token: string) => server.fetch("/api/v1/nodes", { headers: { authorization: `Bearer ${token}` } });

  test("the first administrator's code is good once, and the token from it does everything", async () => {
    const { token, name, rights } = LoginReply.parse(await (await login(server.code ?? "")).json());
    assert.match(name, /^me@here-[0-9a-f]{6}$/);
    assert.deepEqual(rights, ["admin"]);
    assert.equal((await nodesWith(token)).status, 200);
    assert.equal((await login(server.code ?? "")).status, 401);
    const { tokens } = TokenList.parse(await server.json("/api/v1/tokens"));
    assert.deepEqual([tokens.length, tokens[0]?.by], [1, "local"]);
    assert.ok(!JSON.stringify(tokens).includes("sha256"));
  });

  test("a login elsewhere waits until somebody approves its code, and gets its token once", async () => {
    const { device, code } = DeviceReply.parse(await (await post(DEVICE_PATH, { name: "laptop" }, "Login x")).json());
    const fetchToken = async () => (await post(DEVICE_TOKEN_PATH, {}, `${LOGIN_SCHEME} ${device}`)).json();
    PendingReply.parse(await fetchToken());
    assert.deepEqual(await server.post(APPROVE_PATH, { code: code.toLowerCase() }), { name: "laptop" });
    const { token } = LoginReply.parse(await fetchToken());
    assert.equal((await nodesWith(token)).status, 200);
    assert.equal((await post(DEVICE_TOKEN_PATH, {}, `${LOGIN_SCHEME} ${device}`)).status, 401);
    assert.equal((await server.fetch(APPROVE_PATH, posting({ code }))).status, 404);
  });

  test("who waits, and from where, is told to an administrator; one who is refused is told so", async () => {
    const { device, code } = DeviceReply.parse(await (await post(DEVICE_PATH, { name: "stranger" }, "Login x")).json());
    const asked = AskedReply.parse(await server.post(ASKED_PATH, { code: code.replaceAll("-", "") }));
    assert.deepEqual([asked.name, asked.code, asked.address], ["stranger", code, "127.0.0.1"]);
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", { name: "looker", rights: ["list"] });
    for (const path of [ASKED_PATH, APPROVE_PATH, REFUSE_PATH])
      assert.equal((await post(path, { code }, `Bearer ${token}`)).status, 404);
    assert.deepEqual(await server.post(REFUSE_PATH, { code }), { name: "stranger" });
    const answer = await post(DEVICE_TOKEN_PATH, {}, `${LOGIN_SCHEME} ${device}`);
    assert.match(await answer.text(), /"code":"revoked".*This login was refused/);
    assert.equal((await server.fetch(APPROVE_PATH, posting({ code }))).status, 404);
  });

  test("a token has the rights it was made with, reaches the hosts it names, and nothing once it is withdrawn", async () => {
    const wish = { name: "ci", rights: ["list"], nodes: ["alpha"] };
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", wish);
    for (const name of ["alpha", "beta"]) await server.post("/api/v1/nodes", { name });
    const seen = (await (await nodesWith(token)).json()) as { nodes: { name: string }[] };
    assert.deepEqual(
      seen.nodes.map(({ name }) => name),
      ["alpha"],
    );
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await server.fetch("/api/v1/nodes/beta", { headers })).status, 404);
    assert.equal((await server.fetch("/api/v1/nodes/alpha", { headers, method: "DELETE" })).status, 404);
    const lists = await server.fetch("/api/v1/containers?watch=1", { headers });
    for await (const line of readNdjson(lists.body as unknown as AsyncIterable<Uint8Array>)) {
      const { nodes, changed } = FleetContainers.parse(line);
      if (changed.length === 0) continue;
      assert.deepEqual([nodes, changed[0]?.containers, changed[0]?.problem?.code], [["alpha"], [], "agent-away"]);
      break;
    }
    assert.equal((await server.fetch("/api/v1/tokens", posting(wish))).status, 409);
    assert.equal((await server.fetch("/api/v1/tokens/ci", { method: "DELETE" })).status, 204);
    assert.equal((await nodesWith(token)).status, 401);
  });

  test("an administrator of some hosts neither adds nor removes any", async () => {
    const wish = { name: "some", rights: ["admin"], nodes: ["alpha"] };
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", wish);
    assert.equal((await post("/api/v1/nodes", { name: "gamma" }, `Bearer ${token}`)).status, 404);
    assert.equal((await nodesWith(token)).status, 200);
  });

  test("a token ends when its time is over", async () => {
    const wish = { name: "short", rights: ["list"], lifetime: 5_000 };
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", wish);
    assert.equal((await nodesWith(token)).status, 200);
    await until("the end of the token", async () => (await nodesWith(token)).status === 401);
    const { tokens } = TokenList.parse(await server.json("/api/v1/tokens"));
    assert.ok(!tokens.some(({ name }) => name === "short"));
    await until("its end on the disk", () => !keysIn(server, "token/").includes("token/short"));
  });

  test("tokens, hosts and events are there after a restart, and the first administrator is not asked for again", async () => {
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", { name: "kept", rights: ["list"] });
    const before = await (await nodesWith(token)).text();
    await server.end();
    server = await startServer({ before: server });
    assert.equal(server.code, undefined);
    assert.equal(await (await nodesWith(token)).text(), before);
  });

  test("a code signs a page in, which is somebody of its own and has a line in the audit", async () => {
    const { code } = await server.post<{ code: string }>("/api/v1/codes");
    const headers = { "content-type": "application/json", origin: server.url };
    const sign = () =>
      fetch(`${server.url}/api/v1/sign-in`, { method: "POST", body: JSON.stringify({ code }), headers });
    const { subject } = (await (await sign()).json()) as { subject: string };
    assert.equal((await sign()).status, 401);
    const own = () => auditOf(server).then((records) => records.filter((record) => record.subject === subject));
    await until("its record", async () => (await own()).length > 0);
    assert.deepEqual(
      (await own()).map(({ event, issuer }) => [event, issuer]),
      [["sign-in", "local"]],
    );
  });

  test("every change has a line in the audit: who, from where, what", async () => {
    const changes = (await auditOf(server)).filter(({ event }) => event === "change");
    const lines = changes.map(({ subject, kind, node, detail }) => `${subject} ${kind} ${node ?? detail}`);
    assert.ok(lines.includes("local nodes add alpha"), lines.join("\n"));
    assert.ok(lines.includes("local tokens remove ci"));
    assert.ok(lines.includes("local login approve laptop"));
    assert.ok(changes.every(({ remote }) => remote === "127.0.0.1 http"));
  });

  test("what nobody may see without a token looks the same as what is not there", async () => {
    for (const path of ["/api/v1/nodes", "/api/v1/events", "/api/v1/audit", "/api/v1/tokens", "/metrics"])
      assert.equal((await fetch(server.url + path)).status, 401, path);
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", { name: "nothing", rights: ["logs"] });
    const answers = await Promise.all(
      ["/api/v1/nodes", "/api/v1/audit", "/api/v1/nonsense"].map(async (path) => {
        const answer = await server.fetch(path, { headers: { authorization: `Bearer ${token}` } });
        // No two requests have the same id.
        return `${answer.status} ${(await answer.text()).replace(/,"request":"[0-9a-f]{16}"/, "")}`;
      }),
    );
    assert.equal(new Set(answers).size, 1, answers.join("\n"));
    for (const path of ["/healthz", "/readyz"]) assert.equal((await fetch(server.url + path)).status, 200);
  });

  function posting(body: object) {
    return { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  }
});
