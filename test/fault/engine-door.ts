/** The engine's socket with a door in front of it, where a test can count the logs that are followed and silence them. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLLOW = /^GET \S+\/logs\?\S*follow=1/;

export class EngineDoor implements AsyncDisposable {
  /** Where the agent is to look for containers. */
  readonly host: string;
  /** The agent's ends of connections over which a log is followed now. */
  readonly #follows = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #directory: string;

  static async open(socket: string): Promise<EngineDoor> {
    const directory = await mkdtemp(join(tmpdir(), "fl-door-"));
    const server = createServer({ allowHalfOpen: true });
    const door = new EngineDoor(server, directory);
    server.on("connection", (agent: Socket) => door.#pass(agent, connect({ path: socket, allowHalfOpen: true })));
    await once(server.listen(join(directory, "docker.sock")), "listening");
    return door;
  }

  private constructor(server: Server, directory: string) {
    this.#server = server;
    this.#directory = directory;
    this.host = `unix://${join(directory, "docker.sock")}`;
  }

  get follows(): number {
    return this.#follows.size;
  }

  /** What is followed now stays open and gets nothing more. */
  silence(): void {
    for (const agent of this.#follows) agent.emit("silence");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await rm(this.#directory, { recursive: true });
  }

  #pass(agent: Socket, engine: Socket): void {
    for (const socket of [agent, engine]) this.#sockets.add(socket.on("error", () => {}));
    agent.once("data", (bytes) => {
      if (FOLLOW.test(bytes.toString("latin1"))) this.#follows.add(agent);
    });
    agent.once("silence", () => engine.unpipe(agent).resume());
    agent.pipe(engine).pipe(agent);
    for (const socket of [agent, engine])
      socket.once("close", () => {
        this.#follows.delete(agent);
        agent.destroy();
        engine.destroy();
      });
  }
}
