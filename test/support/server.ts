/** The real server as a process of its own, with directories of its own, for tests that use it as a user would. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "./node.ts";
import { until } from "./until.ts";

const main = fileURLToPath(new URL("../../src/server/main.ts", import.meta.url));
const STOP_MS = 20_000;

export interface ServerOptions {
  /** More flags for `fairlead server`; without any it listens on loopback in the clear. */
  flags?: string[];
  /** Of an earlier server, to go on with its state at the same port. */
  before?: TestServer;
  /** Where its state is, instead of a new directory. */
  home?: string;
  /** What to start instead of the sources, e.g. the launcher in bin/; it must `exec`, so that the pid is the server's. */
  program?: readonly [string, ...string[]];
}

interface Asked {
  method?: string;
  path: string;
  body?: object;
}

export interface TestServer {
  url: string;
  /** Of its certificate, where it has one. */
  pin: string | undefined;
  /** The first administrator's one-time code, where it printed one. */
  code: string | undefined;
  /** Of the machine's owner. */
  token: string;
  home: string;
  stateDir: string;
  pid: number;
  /** What it said on standard error so far. */
  log(): string;
  /** Calls its HTTP API with the owner's token, or another one. Only where it serves in the clear. */
  fetch(path: string, init?: Omit<RequestInit, "headers"> & { headers?: Record<string, string> }): Promise<Response>;
  /** The JSON of an answer that must be a good one. */
  json<T>(path: string): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
  /** At its socket file, as its own user; also where it serves with TLS. An answer that is not JSON is given as its text. */
  atHome<T>(asked: Asked): Promise<T>;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<unknown>;
  /** Ends it; its directories stay for the next one. */
  end(): Promise<void>;
  /** Ends it and removes its directories. */
  stop(): Promise<void>;
}

export async function startServer({ flags = [], before, program, ...own }: ServerOptions = {}): Promise<TestServer> {
  const home = before?.home ?? own.home ?? (await mkdtemp(join(tmpdir(), "fl-server-")));
  const stateDir = join(home, "state", "fairlead-server");
  const port = before ? new URL(before.url).port : "0";
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(home, "state"),
    XDG_CONFIG_HOME: join(home, "config"),
    HOME: home,
  };
  const address = flags.includes("--listen-address") ? [] : ["--listen-address", "127.0.0.1"];
  const [file, ...args] = program ?? [process.execPath, ...NODE_FLAGS, main];
  const child = spawn(file, [...args, "--listen-port", port, ...address, ...flags], { cwd: home, env });
  const said = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => (said.out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (said.err += bytes.toString()));
  const exited = once(child, "exit");
  await until("the server's welcome", () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${said.err}`);
    return /end {7}Ctrl-C/.test(said.out);
  });
  const url = (/ at (\S+)/.exec(said.out)?.[1] ?? "").replace(/\/\/[^:]+:/, "//127.0.0.1:");
  const token = (await readFile(join(stateDir, "token"), "utf8")).trim();
  const call: TestServer["fetch"] = (path, init) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init?.headers } });
  const end = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(late);
  };
  return {
    url,
    pin: /pin +(sha256:\S+)/.exec(said.out)?.[1],
    code: /--code (\S+)/.exec(said.out)?.[1],
    token,
    home,
    stateDir,
    pid: child.pid ?? 0,
    log: () => said.err,
    fetch: call,
    json: async <T>(path: string) => good<T>(await call(path)),
    post: async <T>(path: string, body?: object) => good<T>(await call(path, posting(body))),
    atHome: <T>(asked: Asked) => askAtHome<T>({ socket: join(stateDir, "server.sock"), token }, asked),
    kill: (signal) => void child.kill(signal),
    exited,
    end,
    stop: async () => {
      await end();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function posting(body: object | undefined) {
  if (!body) return { method: "POST" };
  return { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

async function good<T>(answer: Response): Promise<T> {
  const said = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} answers ${answer.status}: ${said}`);
  return (said === "" ? undefined : JSON.parse(said)) as T;
}

async function askAtHome<T>(
  where: { socket: string; token: string },
  { method = "GET", path, body }: Asked,
): Promise<T> {
  const headers = { authorization: `Bearer ${where.token}`, ...(body && { "content-type": "application/json" }) };
  const sent = request({ socketPath: where.socket, method, path, headers });
  sent.end(body && JSON.stringify(body));
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const said = await text(answer);
  if ((answer.statusCode ?? 500) >= 400) throw new Error(`${path} answers ${answer.statusCode}: ${said}`);
  return (answer.headers["content-type"]?.includes("json") ? JSON.parse(said) : said) as T;
}
