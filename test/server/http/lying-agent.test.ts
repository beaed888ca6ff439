/** A host that lies: whatever its agent answers, the server's origin and everybody else's requests stay the server's. */

import assert from "node:assert/strict";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { after, before, suite, test } from "node:test";
import { newSecret } from "../../../src/auth/secret.ts";
import { ChannelStream } from "../../../src/door/channel-stream.ts";
import { until } from "../../support/until.ts";
import { RelayedScene } from "./relayed-scene.ts";

const NODE = "/api/v1/nodes/box";
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

interface Said {
  status: number | undefined;
  headers: IncomingMessage["headers"];
  text: string;
}

suite("an agent that lies", () => {
  const admin = newSecret();
  const low = newSecret();
  const heard: string[] = [];
  /** As a reverse proxy in front of the server uses its connections again, for whoever comes next. */
  const pool = new Agent({ keepAlive: true, maxSockets: 1 });
  let lie = "";
  /** It breaks the connection off behind its answer. */
  let breaksOff = false;
  /** Answers what was asked last, once more. */
  let late: ((words: string) => void) | undefined;
  let scene: RelayedScene;
  let url: URL;

  before(async () => {
    scene = await RelayedScene.open({
      tokens: [
        { token: admin, grant: { subject: "anna", rights: ["admin"], scopes: [] } },
        { token: low, grant: { subject: "low", rights: ["list"], scopes: [] } },
      ],
      desk: {},
      serveHttp: () => (channel) => {
        const stream = new ChannelStream(channel).on("error", () => {});
        stream.on("data", (bytes: Buffer) => {
          heard.push(bytes.toString());
          stream.write(lie);
          if (breaksOff) channel.close(1011, "broken off");
          late = (words) => stream.write(words);
        });
      },
    });
    url = new URL(scene.url);
  });

  after(async () => {
    pool.destroy();
    await scene[Symbol.asyncDispose]();
  });

  function ask(path: string, token: string, more: Record<string, string> = {}): Promise<Said> {
    const headers = { host: url.host, authorization: `Bearer ${token}`, ...more };
    return new Promise((resolve, reject) => {
      const asked = request({ host: url.hostname, port: url.port, path, headers, agent: pool }, (answer) => {
        const { statusCode: status, headers } = answer;
        let text = "";
        answer.on("data", (bytes: Buffer) => (text += bytes.toString()));
        answer.on("end", () => resolve({ status, headers, text })).on("error", reject);
      });
      asked
        .on("error", reject)
        .on("close", () => reject(new Error("there was no answer")))
        .end();
    });
  }

  function answers(status: string, headers: string[], body = ""): void {
    lie = [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...headers, "", body].join("\r\n");
  }

  test("to whoever wants a WebSocket does not get the connection, on which a proxy may send somebody else's request", async () => {
    answers("200 OK", ["Content-Type: text/html"], "hi");
    const first = await ask(`${NODE}/x`, low, UPGRADE);
    assert.deepEqual([first.status, first.text, first.headers.connection], [200, "hi", "close"]);
    heard.length = 0;
    assert.equal((await ask("/api/v1/tokens", admin)).status, 404);
    assert.deepEqual(heard, []);
  });

  test("gives no orders to the browser on the server's origin", async () => {
    const orders = [
      'Clear-Site-Data: "*"',
      'Alt-Svc: h3=":1"',
      "Set-Cookie: a=b",
      "Refresh: 0; url=http://x",
      "Link: <x>",
    ];
    answers("200 OK", ["Content-Type: application/json", ...orders], "{}");
    for (const headers of [{}, UPGRADE]) {
      const said = await ask(`${NODE}/containers`, low, headers);
      assert.equal(said.status, 200);
      assert.equal(said.headers["content-type"], "application/json");
      for (const order of orders)
        assert.equal(said.headers[order.split(":")[0]?.toLowerCase() ?? ""], undefined, order);
      assert.match(String(said.headers["content-security-policy"]), /default-src/);
    }
  });

  test("that answers late harms nobody when its client has reset the connection", async () => {
    lie = "";
    heard.length = 0;
    const socket = connect({ host: url.hostname, port: Number(url.port) });
    const lines = Object.entries({ host: url.host, authorization: `Bearer ${low}`, ...UPGRADE });
    const said = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.write(`GET ${NODE}/x HTTP/1.1\r\n${said}\r\n`);
    await until("the agent's turn", () => heard.length > 0);
    socket.resetAndDestroy();
    answers("404 Not Found", ["Content-Type: text/plain"], "x".repeat(100_000));
    late?.(lie);
    assert.equal((await ask("/api/v1/tokens", admin)).status, 404);
  });

  test("neither signs anybody out nor sends anybody elsewhere", async () => {
    for (const status of ["401 Unauthorized", "302 Found", "307 Temporary Redirect", "101 Switching Protocols"]) {
      answers(status, ["Location: http://elsewhere/", "Connection: Upgrade", "Upgrade: websocket"], "");
      const { status: told, headers, text } = await ask(`${NODE}/containers`, low);
      assert.deepEqual([told, headers.location], [502, undefined], `${status}: ${text}`);
    }
  });

  test("and breaks off behind its agreement to a WebSocket harms nobody, whether one was asked for or not", async () => {
    breaksOff = true;
    for (const headers of [{}, UPGRADE]) {
      answers("101 Switching Protocols", ["Connection: Upgrade", "Upgrade: websocket"]);
      await ask(`${NODE}/containers`, low, headers).catch(() => undefined);
      assert.equal((await ask("/api/v1/tokens", admin)).status, 404);
    }
    breaksOff = false;
  });
});
