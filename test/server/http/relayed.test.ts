/** An agent's HTTP side through a server: what is asked arrives, what is answered comes back, and who asks is said by the grant alone. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { WebSocket } from "ws";
import { newSecret } from "../../../src/auth/secret.ts";
import { VouchedStream } from "../../../src/door/channel-stream.ts";
import { PAGE_SECRET_HEADER } from "../../../src/protocol/version.ts";
import { bearer, converse, requestText } from "../../support/front.ts";
import { until } from "../../support/until.ts";
import { RelayedScene } from "./relayed-scene.ts";

interface Asking extends RequestInit {
  token?: string;
  headers?: Record<string, string>;
}

const NODE = "/api/v1/nodes/box";

suite("an agent's HTTP side through a server", () => {
  const admin = newSecret();
  const reader = newSecret();
  let scene: RelayedScene;
  let url: string;

  const ask = (path: string, { token = admin, ...init }: Asking = {}) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

  before(async () => {
    scene = await RelayedScene.open({
      tokens: [
        { token: admin, grant: { subject: "anna", rights: ["admin"], scopes: [] } },
        { token: reader, grant: { subject: "rita", rights: ["list"], scopes: [] } },
      ],
      desk: { exec: async ({ print }) => print("hello\n").then(() => ({ code: 3 })) },
      serveHttp: (agent) => (channel, subject) => agent.gateway.take(new VouchedStream(channel, subject)),
    });
    ({ url } = scene);
  });

  after(() => scene[Symbol.asyncDispose]());

  test("what is asked has one name on the whole way, which is the server's choice", async () => {
    const answer = await ask(`${NODE}/containers/no-such`, { headers: { "x-request-id": "0123456789abcdef" } });
    const id = answer.headers.get("x-request-id") ?? "";
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.notEqual(id, "0123456789abcdef");
    assert.equal(((await answer.json()) as { request: string }).request, id);
    const named = (line: unknown) => (line as { request?: string }).request === id;
    await until("the agent's line", () => scene.agent.log.some(named));
  });

  test("a list is the agent's own", async () => {
    const answer = await ask(`${NODE}/containers`);
    assert.equal(answer.status, 200);
    assert.partialDeepStrictEqual(await answer.json(), { node: "test", containers: [{ name: "web" }] });
  });

  test("the rights are the caller's own, on the agent too", async () => {
    assert.equal((await ask(`${NODE}/containers`, { token: reader })).status, 200);
    assert.equal((await ask(`${NODE}/containers/web`, { token: reader })).status, 404);
    assert.equal((await ask(`${NODE}/containers/web`)).status, 200);
    assert.equal((await fetch(`${url}${NODE}/containers`)).status, 401);
  });

  test("no header of the client's makes it somebody else on the agent", async () => {
    const headers = {
      authorization: `Bearer ${reader}`,
      cookie: "a=b",
      [PAGE_SECRET_HEADER]: "x",
      "x-forwarded-for": "1.2.3.4",
    };
    const answer = await ask(`${NODE}/whoami`, { headers });
    assert.partialDeepStrictEqual(await answer.json(), { subject: "server:rita", rights: ["list"] });
  });

  test("what would outlive the server's word is not given out through it", async () => {
    for (const path of ["tickets", "codes", "sign-in", "sign-out"])
      assert.equal((await ask(`${NODE}/${path}`, { method: "POST" })).status, 404, path);
  });

  test("an unknown path, an unknown node and an agent that is away are told apart only where that is allowed", async () => {
    assert.equal((await ask(`${NODE}/nothing`)).status, 404);
    assert.equal((await ask("/api/v1/nodes/elsewhere/containers")).status, 404);
    const away = await ask("/api/v1/nodes/box2/containers");
    assert.equal(away.status, 503);
    assert.partialDeepStrictEqual(await away.json(), { code: "agent-away" });
  });

  test("a path that could be read in two ways leads nowhere else, here or there", async () => {
    const { host, port } = new URL(url);
    const wanted = ["/api/v1/containers", "/api/v1/whoami", "/api/v1/version"];
    const tricks = wanted.flatMap((path) => {
      const [, , , last] = path.split("/");
      return [
        `${NODE}/../../${last}`,
        `${NODE}/..%2F..%2F${last}`,
        `${NODE}/%2e%2e/%2e%2e/${last}`,
        `${NODE}/containers/%2e%2e/${last}`,
        `${NODE}/containers/..%2f${last}`,
        `${NODE}/containers/web%2F..%2F..%2F${last}`,
        `${NODE}/./${last}`,
        `${NODE}//${last}`,
        `${NODE}/${last}/`,
        `${NODE}/${last}%3Fx=1`,
        `${NODE}/${last}%23`,
        `${NODE}/${last};x=1`,
        `${NODE}\\${last}`,
        `/api/v1/nodes/box%2F${last}`,
        `/api/v1/nodes/elsewhere%2F..%2Fbox/${last}`,
        `/api/v1/nodes/elsewhere/../box/${last}`,
      ];
    });
    for (const path of tricks) {
      const answer = await converse(Number(port), requestText(host, { path, headers: [bearer(admin)] }));
      assert.ok([400, 404].includes(answer.status), `${path} answers ${answer.status}`);
    }
  });

  test("a watch goes on through the server, and ends with its reader", async () => {
    const leave = new AbortController();
    const answer = await ask(`${NODE}/containers?watch=1`, { signal: leave.signal });
    const lines = answer.body?.getReader();
    const first = await lines?.read();
    assert.match(Buffer.from(first?.value ?? []).toString(), /"web"/);
    leave.abort();
  });

  test("a command's WebSocket goes through, with the subprotocol that the agent chose", async () => {
    const socket = new WebSocket(
      `${url.replace("http", "ws")}${NODE}/containers/web/exec?command=x&stdout=true`,
      ["v5.channel.k8s.io"],
      { headers: { authorization: `Bearer ${admin}` } },
    );
    const heard: Buffer[] = [];
    socket.on("message", (data: Buffer) => heard.push(data));
    await new Promise((resolve, reject) => socket.once("close", resolve).once("error", reject));
    assert.equal(socket.protocol, "v5.channel.k8s.io");
    assert.match(Buffer.concat(heard).toString(), /hello/);
  });

  test("a refused WebSocket is an answer with words", async () => {
    const socket = new WebSocket(
      `${url.replace("http", "ws")}${NODE}/containers/absent/exec?command=x&stdout=true`,
      ["v5.channel.k8s.io"],
      {
        headers: { authorization: `Bearer ${admin}` },
      },
    );
    const status = await new Promise((resolve) => {
      socket.once("unexpected-response", (_request, answer: { statusCode?: number }) => resolve(answer.statusCode));
    });
    assert.equal(status, 404);
    socket.on("error", () => {}).terminate();
  });
});
