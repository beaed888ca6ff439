/** One session of every kind on one container, each known to be live, and how each of them ends. */

import type { Client, RemoteForward } from "../../src/client/client.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import type { Packet } from "../../src/protocol/packet.ts";
import { until } from "../support/until.ts";

const ECHO_PORT = 7000;
const PING = "ping\n";

/** The main process of a container that every kind can be opened on: an echo service, which says nothing when it is cut, and numbered lines. */
export const MAIN = [
  "sh",
  "-c",
  `nc -ll -p ${ECHO_PORT} -e cat 2>/dev/null & i=0; while :; do i=$((i+1)); echo line $i; usleep 50000; done`,
];

export const KINDS = ["exec", "terminal", "attach", "logs", "connection"] as const;
export type Kind = (typeof KINDS)[number];

/** A session that is read all the time. */
export class Live {
  readonly kind: Kind;
  readonly session: RemoteSession;
  /** Of a connection. */
  readonly forward: RemoteForward | undefined;
  text = "";
  /** The packets that are not output, in order. */
  readonly others: Packet[] = [];
  #over: { error: unknown } | undefined;

  constructor(kind: Kind, session: RemoteSession, forward?: RemoteForward) {
    this.kind = kind;
    this.session = session;
    this.forward = forward;
    this.#read().then(
      () => (this.#over = { error: undefined }),
      (error: unknown) => (this.#over = { error }),
    );
  }

  /** How the session says it ended: its exit status, else the code of its error. */
  async ending(): Promise<string> {
    const { error } = await until(`the ${this.kind} ending`, () => this.#over);
    if (error instanceof Error) return "code" in error ? String(error.code) : String(error);
    const last = this.others.at(-1);
    if (last?.type !== "exit") return "no word";
    return "code" in last.status ? `exit ${last.status.code}` : "unknown";
  }

  /** Sends a word and resolves when it has come back; a log and an attach wait for one more line. */
  async answers(): Promise<void> {
    const before = this.text.length;
    if (this.kind !== "attach" && this.kind !== "logs")
      await this.session.send({ type: "stdin", bytes: Buffer.from(PING) });
    await until(`the ${this.kind} answering`, () => this.text.slice(before).endsWith("\n"));
  }

  async #read(): Promise<void> {
    for await (const packet of this.session.packets()) {
      if (packet.type === "stdout" || packet.type === "stderr") this.text += Buffer.from(packet.bytes).toString();
      else if (packet.type !== "cursor") this.others.push(packet);
      // As any program does with a connection whose other end has closed.
      if (packet.type === "end") await this.session.send({ type: "end" });
    }
  }
}

/** Opens it and resolves when it has said something. */
export async function openLive(client: Client, container: string, kind: Kind): Promise<Live> {
  const live = await start(client, container, kind);
  await live.answers();
  return live;
}

export function openAll(client: Client, container: string): Promise<Live[]> {
  return Promise.all(KINDS.map((kind) => openLive(client, container, kind)));
}

export async function closeAll(all: Live[]): Promise<void> {
  for (const live of all) {
    await live.session.close();
    await live.forward?.close();
  }
}

async function start(client: Client, container: string, kind: Kind): Promise<Live> {
  const cat = { command: ["cat"], stdin: true };
  const streams = { stdout: true, stderr: true };
  switch (kind) {
    case "exec":
      return new Live(kind, await client.exec(container, { ...cat, tty: false }));
    case "terminal":
      return new Live(kind, await client.exec(container, { ...cat, tty: true }));
    case "attach":
      return new Live(kind, await client.attach(container, { ...streams, stdin: false }));
    case "logs":
      return new Live(kind, await client.logs(container, { ...streams, follow: true, timestamps: false }));
    case "connection": {
      const forward = await client.forward(container, { ports: [ECHO_PORT] });
      return new Live(kind, await until("the echo service", () => dial(forward)), forward);
    }
  }
}

/** `undefined` as long as nothing listens: the container may have started this very moment. */
async function dial(forward: RemoteForward): Promise<RemoteSession | undefined> {
  const session = await forward.dial(ECHO_PORT);
  try {
    await session.opened;
    return session;
  } catch (error) {
    if (error instanceof FairleadError && error.code === "dial-refused") return undefined;
    throw error;
  }
}
