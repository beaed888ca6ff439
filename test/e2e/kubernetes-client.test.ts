import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { PassThrough, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { after, before, suite, test } from "node:test";
import { Attach, Exec, PortForward, type V1Status } from "@kubernetes/client-node";
import { V4 } from "../../src/protocol/remote-command.ts";
import { carries } from "../fault/stage.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { auditOf } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { kubernetes } from "./kubernetes-client.ts";

const SHELL = "kubernetes-shell";
const TALKER = "kubernetes-talker";
const STOPPED = "kubernetes-stopped";
const MEBIBYTE = 1_048_576;
/** 7000 gives back what it gets, 7001 counts it once the input ends, 7002 listens on the container's loopback only. */
const SERVICES = ["nc -ll -p 7000 -e cat", "nc -ll -p 7001 -e wc -c", "httpd -f -p 127.0.0.1:7002"];
const TALK = 'while read line; do [ "$line" = quit ] && exit 5; echo "got $line"; echo "heard" >&2; done';

/** A stream as `Exec` knows the size of a terminal by. */
class Terminal extends PassThrough {
  columns = 101;
  rows = 33;
}

suite("the stream classes of @kubernetes/client-node", () => {
  let engine: Engine;
  let agent: TestAgent;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(SHELL, { command: ["sh", "-c", `${SERVICES.join(" & ")} & wait`] });
    await engine.run(STOPPED, { command: ["true"] });
    agent = await startAgent({ engine });
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", SHELL, STOPPED);
  });

  interface Options {
    stdin?: Readable;
    stdout?: PassThrough;
    tty?: boolean;
    protocols?: string[];
    container?: string;
  }

  async function run(command: string[], { stdin, tty = false, protocols, container = SHELL, ...more }: Options = {}) {
    const stdout = more.stdout ?? new PassThrough();
    const stderr = tty ? null : new PassThrough();
    let tell: (status: V1Status) => void = () => {};
    const status = new Promise<V1Status>((resolve) => {
      tell = resolve;
    });
    const { config, handler } = kubernetes(agent, protocols);
    const exec = new Exec(config, handler);
    const socket = await exec.exec("default", container, "", command, stdout, stderr, stdin ?? null, tty, tell);
    return { socket, stdout, stderr: stderr ?? new PassThrough(), status };
  }

  function forwarder(): PortForward {
    const { config, handler } = kubernetes(agent);
    return new PortForward(config, true, handler);
  }

  async function residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${agent.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  }

  const running = async (what: string) => (await engine.docker("top", SHELL)).includes(what);

  test("run a command: output, errors and exit status apart", async () => {
    const { stdout, stderr, status } = await run(["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert.deepEqual([await text(stdout), await text(stderr)], ["out\n", "err\n"]);
    const { reason, details } = await status;
    assert.deepEqual([reason, details?.causes], ["NonZeroExitCode", [{ reason: "ExitCode", message: "7" }]]);
    const good = await run(["true"]);
    assert.deepEqual(await good.status, { metadata: {}, status: "Success" });
  });

  test("send a command its input, and its end", async () => {
    const bytes = randomBytes(5 * MEBIBYTE);
    const { stdout, status } = await run(["sha256sum"], { stdin: Readable.from(pieces(bytes)) });
    assert.equal(await text(stdout), `${createHash("sha256").update(bytes).digest("hex")}  -\n`);
    assert.equal((await status).status, "Success");
  });

  test("read a command's output to its last byte", async () => {
    const { stdout, status } = await run(["sh", "-c", `head -c ${20 * MEBIBYTE} /dev/zero`]);
    assert.equal((await buffer(stdout)).length, 20 * MEBIBYTE);
    assert.equal((await status).status, "Success");
  });

  test("speak v4 too", async () => {
    const { socket, stdout, status } = await run(["echo", "four"], { protocols: [V4] });
    assert.deepEqual([socket.protocol, await text(stdout)], [V4, "four\n"]);
    assert.equal((await status).status, "Success");
  });

  test("have a terminal, as large as theirs and growing with it", async () => {
    const stdin = new PassThrough();
    const stdout = new Terminal();
    const said = heard(stdout);
    const sized = (size: string) => `until [ "$(stty size 2>/dev/null)" = "${size}" ]; do :; done; echo ${size}`;
    const script = `${sized("33 101")}; ${sized("40 120")}; read x; echo $x`;
    const { status } = await run(["sh", "-c", script], { stdin, stdout, tty: true });
    await until("its size", () => said() === "33 101\r\n");
    Object.assign(stdout, { columns: 120, rows: 40 }).emit("resize");
    await until("its new size", () => said().endsWith("40 120\r\n"));
    stdin.write("go\n");
    assert.equal((await status).status, "Success");
    await finished(stdout);
    assert.equal(said(), "33 101\r\n40 120\r\ngo\r\ngo\r\n");
  });

  test("hear that there is no such command", async () => {
    const { status } = await run(["no-such-command"]);
    const { reason, code, message } = await status;
    assert.deepEqual([reason, code], ["InternalError", 500]);
    assert.match(message ?? "", /no-such-command/);
  });

  test("are refused before the upgrade where nothing can run", async () => {
    await assert.rejects(run(["true"], { container: STOPPED }), { message: "Unexpected server response: 409" });
    await assert.rejects(run(["true"], { container: "no-such" }), { message: "Unexpected server response: 404" });
    const forward = forwarder();
    const [out, err, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const dial = (name: string, port: number) => forward.portForward("default", name, [port], out, err, input);
    await assert.rejects(dial(STOPPED, 80), { message: "Unexpected server response: 409" });
    await assert.rejects(dial(SHELL, 7999), { message: "Unexpected server response: 502" });
    await carries(agent, 0);
  });

  test("leave no process behind, whether they close or vanish", async () => {
    for (const leave of ["close", "terminate"] as const) {
      const { socket } = await run(["sh", "-c", "sleep 4242; :"], { stdin: new PassThrough() });
      await until("running", () => running("sleep 4242"));
      (socket as unknown as Record<typeof leave, () => void>)[leave]();
      await until("ended", async () => !(await running("sleep 4242")));
      await carries(agent, 0);
    }
  });

  test("are held back by a command that does not read, and nobody else is", async () => {
    const before = await residentBytes();
    const stdin = Readable.from(pieces(Buffer.alloc(128 * MEBIBYTE)));
    const { socket } = await run(["sleep", "4243"], { stdin });
    const queue = socket as unknown as { bufferedAmount: number };
    await until("sending", () => queue.bufferedAmount > 64 * MEBIBYTE);
    assert.equal(await text((await run(["echo", "beside"])).stdout), "beside\n");
    const grown = (await residentBytes()) - before;
    assert.ok(grown < 32 * MEBIBYTE, `grown by ${grown} bytes`);
    (socket as unknown as { terminate(): void }).terminate();
    await until("ended", async () => !(await running("sleep 4243")));
    await carries(agent, 0);
  });

  test("attach to the main process", async () => {
    await engine.run(TALKER, { command: ["sh", "-c", TALK], args: ["--interactive"] });
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const { config, handler } = kubernetes(agent);
    const attach = new Attach(config, handler);
    const [said, complained] = [heard(stdout), heard(stderr)];
    const socket = await attach.attach("default", TALKER, "", stdout, stderr, stdin, false);
    const closed = once(socket as unknown as NodeJS.EventEmitter, "close");
    stdin.write("hello\n");
    await until("both answers", () => said().endsWith("\n") && complained().endsWith("\n"));
    assert.deepEqual([said(), complained()], ["got hello\n", "heard\n"]);
    stdin.write("quit\n");
    assert.equal((await closed)[0], 1000);
    await engine.docker("rm", "--force", TALKER);
  });

  test("forward a port, also one that only the container itself can reach", async () => {
    const forward = forwarder();
    const connect = async (port: number, input: Readable) => {
      const output = new PassThrough();
      const socket = await forward.portForward("default", SHELL, [port], output, new PassThrough(), input);
      if (typeof socket === "function") throw new Error("the client retries, which it was not asked to");
      socket.addEventListener("close", () => output.end());
      return buffer(output);
    };
    const bytes = randomBytes(2 * MEBIBYTE);
    assert.ok((await connect(7000, Readable.from(pieces(bytes)))).equals(bytes));
    assert.equal((await connect(7001, Readable.from(pieces(bytes)))).toString().trim(), String(bytes.length));
    const request = Readable.from([Buffer.from("GET /none HTTP/1.0\r\n\r\n")]);
    assert.match((await connect(7002, request)).toString(), /^HTTP\/1\.[01] 404 /);
    await carries(agent, 0);
  });

  test("are written down like everybody else", async () => {
    await (await run(["echo", "audited"])).status;
    const opened = await until("the audit", async () =>
      (await auditOf(agent)).find(({ event, command }) => event === "open" && command?.includes("audited")),
    );
    assert.equal(opened.kind, "exec");
    assert.match(opened.remote ?? "", /v5\.channel\.k8s\.io/);
  });
});

/** What a stream has said so far: a terminal writes a line and its end apart. */
function heard(stream: Readable): () => string {
  let said = "";
  stream.on("data", (bytes: Buffer) => (said += bytes.toString()));
  return () => said;
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 60_001) yield bytes.subarray(at, at + 60_001);
}
