/** A way to the agent that a test can cut and mend. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { reset } from "../../src/net/reset.ts";

export class Gate implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = true;
  #agent: URL;

  private constructor(server: Server, agent: URL) {
    this.#server = server;
    this.#agent = agent;
  }

  static async open(agentUrl: string): Promise<Gate> {
    const server = createServer((socket) => gate.#join(socket));
    const gate = new Gate(server, new URL(agentUrl));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection and refuses new ones. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) reset(socket);
  }

  mend(): void {
    this.#open = true;
  }

  /** From now on it leads to another agent. */
  lead(agentUrl: string): void {
    this.#agent = new URL(agentUrl);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(from: Socket): void {
    const to = connect(Number(this.#agent.port), this.#agent.hostname);
    for (const socket of [from, to]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    }
    if (!this.#open) return void [from, to].map(reset);
    from.pipe(to);
    to.pipe(from);
    from.on("close", () => to.destroy());
    to.on("close", () => from.destroy());
  }
}
