/** Bytes that no client of ours says, on bare TCP sockets: nothing gets through, nothing breaks, nobody else notices. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterEach, suite, test } from "node:test";
import { until } from "../support/until.ts";
import { bytes, closeCode, crumbs, exchange, frame, head, statuses } from "./hostile-bytes.ts";
import {
  type Breach,
  breaches,
  credentials,
  handshake,
  handshakes,
  type Row,
  session,
  strangers,
  twofold,
  type Victim,
} from "./hostile-rows.ts";
import { Scene } from "./scene.ts";
import { metric, portOf } from "./stage.ts";

const CANARY = "fault-hostile-canary";
const WITNESS = "fault-hostile-witness";
const LIST = "/api/v1/containers";
/** Of everything, while the agent's memory is looked at, and by how much it may grow: 14 KiB for each connection. */
const ROUNDS = 40;
const GROWTH_BYTES = 48 * 1024 * 1024;
/** Little room for garbage: what grows beyond it is what is kept. */
const NODE_OPTIONS = "--max-old-space-size=96 --max-semi-space-size=2";
/** More than strangers on one machine may hold. */
const HALF_OPEN = 400;
const STRANGERS = "fairlead_http_unauthenticated_connections";
/** Milliseconds for one request of somebody else meanwhile. */
const PROMPT_MS = 10_000;

const execOf = (container: string) => `${LIST}/${container}/exec?command=touch&command=/sung&stdout=true`;
/** Ends a connection whose first request left it open; what it asks for is not there. */
const LAST = head("GET /nowhere HTTP/1.1", "Host: localhost", "Connection: close");
const GOODBYE = frame(0x88, bytes("\x03\xe8"));

let id = "";
const scene = Scene.forThisFile({
  neighbour: "fault-hostile-neighbour",
  containers: { [CANARY]: {}, [WITNESS]: {} },
  env: { NODE_OPTIONS },
  prepare: async ({ docker }) => (id = await docker("inspect", "--format", "{{.Id}}", CANARY)),
});
afterEach(async () => {
  assert.equal(await scene.engine.docker("diff", CANARY), "", "a command ran in the canary");
  assert.equal(await scene.agent.fetch("/healthz").then(({ status }) => status), 200);
});

const victim = (container = CANARY): Victim => ({
  host: new URL(scene.agent.url).host,
  proof: `Authorization: Bearer ${scene.agent.token}`,
  exec: execOf(container),
});
const say = (...pieces: Uint8Array[]) => exchange(portOf(scene.agent), ...pieces);

/** Sends it, and fails when anything was answered but refusals. */
async function isRefused([name, said]: Row): Promise<void> {
  const answer = await say(bytes(said + LAST));
  const passed = statuses(answer).filter((status) => status < 400 || status >= 500);
  assert.deepEqual(passed, [], `${name}: ${answer}`);
  assert.ok(!answer.includes(id), `${name} was told of the canary`);
}

async function breaks([name, said, ...codes]: Breach): Promise<void> {
  const answer = await say(Buffer.concat([bytes(session(victim())), said, GOODBYE]));
  assert.deepEqual(statuses(answer), [101], name);
  const code = closeCode(answer);
  // What still came when it had hung up may cost its last words.
  assert.ok(code === undefined || codes.includes(code), `${name} ended with ${code}`);
}

/** Everything that may be said as often as one likes. */
function everything(): Promise<void>[] {
  const rows = [strangers, twofold, handshakes].flatMap((list) => list(victim()));
  return [...rows.map(isRefused), ...breaches.map(breaks)];
}

async function memory(): Promise<number> {
  const status = await readFile(`/proc/${scene.agent.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

suite("on a bare socket", () => {
  test("the same bytes without a trick get through, and leave their mark", async () => {
    const { host, proof, exec } = victim(WITNESS);
    const list = head(`GET ${LIST} HTTP/1.1`, `Host: ${host}`, proof);
    const post = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
    const ticket = head("POST /api/v1/tickets HTTP/1.1", `Host: ${host}`, proof, ...post);
    const answer = await say(bytes(`${ticket}0\r\n\r\n${list}${LAST}`));
    assert.deepEqual(statuses(answer), [200, 200, 404]);
    assert.ok(answer.includes(id));
    const socket = connect(portOf(scene.agent), "127.0.0.1");
    socket.write(head(`GET ${exec} HTTP/1.1`, `Host: ${host}`, proof, ...handshake()));
    await until("the command's mark", async () => /^A \/sung$/m.test(await scene.engine.docker("diff", WITNESS)));
    socket.destroy();
  });

  test("a request and a WebSocket that come byte by byte are served as any other", async () => {
    const { host, proof } = victim();
    const list = head(`GET ${LIST} HTTP/1.1`, `Host: ${host}`, proof, "Connection: close");
    assert.ok((await say(...crumbs(list))).includes(id));
    const answer = await say(...crumbs(Buffer.concat([bytes(session(victim())), frame(0x89, bytes("slow")), GOODBYE])));
    assert.ok(answer.includes("\x8a\x04slow"), "no pong");
    assert.equal(closeCode(answer), 1000);
  });

  test("no address, method, version or claim lets a stranger in", async () => {
    for (const row of strangers(victim())) await isRefused(row);
  });

  test("no request with a token that could be read in two ways is read at all, nor what hides in it", async () => {
    for (const row of twofold(victim())) await isRefused(row);
  });

  test("no token counts that is none, or not alone", async () => {
    for (const row of credentials(victim())) await isRefused(row);
  });

  test("no handshake that is none starts a command, nor does what follows it", async () => {
    for (const row of handshakes(victim())) await isRefused(row);
  });

  for (const breach of breaches) test(`${breach[0]} ends its WebSocket`, () => breaks(breach));

  test("connections that stop in the middle keep nobody out, and are forgotten when they break off", async () => {
    const whole = bytes(session(victim()));
    const beginnings = [bytes(""), bytes("GET"), whole.subarray(0, -2), Buffer.concat([whole, Buffer.of(0x82, 0xfe)])];
    const sockets = Array.from({ length: HALF_OPEN }, (_, at) => {
      const socket = connect(portOf(scene.agent), "127.0.0.1")
        .on("error", () => {})
        .resume();
      socket.write(beginnings[at % beginnings.length] ?? "");
      return socket;
    });
    const answer = await scene.agent.fetch(LIST, { signal: AbortSignal.timeout(PROMPT_MS) });
    assert.equal(answer.status, 200);
    await scene.neighbour.pulse();
    for (const socket of sockets) socket.resetAndDestroy();
    await until("forgetting them", async () => (await metric(scene.agent, STRANGERS)) === 0);
  });

  test(`all of it ${ROUNDS} times more takes no memory`, async () => {
    await Promise.all(everything());
    const before = await memory();
    for (let round = 0; round < ROUNDS; round += 1) await Promise.all(everything());
    const grown = (await memory()) - before;
    assert.ok(grown < GROWTH_BYTES, `it grew by ${grown} bytes`);
  });
});
