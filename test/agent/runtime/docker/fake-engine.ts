/** A server that answers every connection with the bytes it is told, as a broken engine or a proxy before it would. */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "../../../../src/agent/runtime/docker/engine.ts";
import { parseEndpoint } from "../../../../src/agent/runtime/docker/endpoint.ts";

/** Milliseconds for a call: far more than any takes, unless a test is about one that hangs. */
const TIMEOUT = 10_000;
/** The same where it hangs. */
export const HANG_MS = 300;

export type Answer = (socket: Socket) => void;
/** Chooses the answer by what has arrived of the request, its first line at least; is asked for the version too. */
export type Answers = { to: (request: string) => Answer };

/** Runs `work` with an engine that tells no version and whose every further answer is `answer`, given once the request has begun to arrive. */
export async function withFakeEngine(
  answer: Answer | Answers,
  work: (engine: Engine) => Promise<void>,
  timeout: number = TIMEOUT,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "fl-fake-"));
  const path = join(directory, "engine.sock");
  const sockets = new Set<Socket>();
  let agreed = typeof answer !== "function";
  const choose = (request: string): Answer => {
    if (typeof answer !== "function") return answer.to(request);
    const first = !agreed;
    agreed = true;
    return first ? says(json("{}")) : answer;
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("data", (bytes) => choose(bytes.toString())(socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const engine = new Engine(parseEndpoint(`unix://${path}`), { timeout });
  try {
    await work(engine);
  } finally {
    engine.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  }
}

/** Says these bytes and ends. */
export function says(bytes: string | Buffer): Answer {
  return (socket) => socket.end(bytes);
}

/** Says these bytes and nothing more. */
export function hangsAfter(bytes: string): Answer {
  return (socket) => socket.write(bytes);
}

export function json(body: string, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
