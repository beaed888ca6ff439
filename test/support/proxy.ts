/** A TCP connection that a test can spoil: delayed, stalled, half-closed, or cut after an exact byte, by FIN or by RST. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { reset } from "../../src/net/reset.ts";

/** `up` is from whoever connects to the proxy, `down` is back to it. */
export type Way = "up" | "down";

export interface Cut {
  way: Way;
  /** Bytes that still pass that way; the next one does not. */
  after: number;
  /** `reset`: both ends get an RST. `end`: both ends get a FIN at once, whatever was still under way. */
  by: "reset" | "end";
}

export interface Spoiling {
  cut?: Cut;
  /** Milliseconds that every piece waits, either way. */
  delay?: number;
}

export interface ProxyOptions {
  /** Of the real server, on loopback. */
  port: number;
  /** What happens to the first, second, ... connection; later ones pass unharmed. */
  connections?: Spoiling[];
}

export class Proxy implements AsyncDisposable {
  readonly port: number;
  /** Every connection so far, in order. */
  readonly connections: ProxiedConnection[] = [];
  readonly #server: Server;

  /** Listens on a free port of loopback. */
  static async start({ port, connections = [] }: ProxyOptions): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const proxy = new Proxy(server);
    server.on("connection", (client: Socket) => {
      const target = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      const spoiling = connections[proxy.connections.length] ?? {};
      proxy.connections.push(new ProxiedConnection({ up: client, down: target }, spoiling));
    });
    return proxy;
  }

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Cuts what is open and listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.connections) connection.cut("reset");
    await closed;
  }
}

/** One connection through the proxy: two lanes that know nothing of each other. */
export class ProxiedConnection {
  /** Bytes that passed, by way. */
  readonly carried: Record<Way, number> = { up: 0, down: 0 };
  /** Resolves when it was cut, or both ends had ended. */
  readonly over: Promise<void>;
  /** Where each lane reads; it writes to the other. */
  readonly #sockets: Record<Way, Socket>;
  readonly #spoiling: Spoiling;
  readonly #stalled: Partial<Record<Way, { opened: Promise<void>; open: () => void }>> = {};
  #state: "open" | "cut" | "over" = "open";

  constructor(sockets: Record<Way, Socket>, spoiling: Spoiling) {
    this.#sockets = sockets;
    this.#spoiling = spoiling;
    for (const socket of Object.values(sockets)) socket.on("error", () => this.cut("reset"));
    this.over = Promise.all([this.#carry("up"), this.#carry("down")]).then(() => this.#finish());
  }

  /** Whether it was spoiled as planned, or by a call of {@link cut}. */
  get wasCut(): boolean {
    return this.#state === "cut";
  }

  cut(by: Cut["by"]): void {
    if (this.#state !== "open") return;
    this.#state = "cut";
    for (const socket of Object.values(this.#sockets)) {
      if (by === "reset") reset(socket);
      else socket.end(() => socket.destroy());
    }
    this.resume("up");
    this.resume("down");
  }

  /** Reads nothing more that way until {@link resume}: the sender feels it once the kernel's buffers are full. */
  stall(way: Way): void {
    let open: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#stalled[way] ??= { opened, open };
  }

  resume(way: Way): void {
    this.#stalled[way]?.open();
    delete this.#stalled[way];
  }

  /** A FIN that way; the other way goes on. */
  endWay(way: Way): void {
    this.#sockets[way === "up" ? "down" : "up"].end();
  }

  #finish(): void {
    if (this.#state === "open") this.#state = "over";
    for (const socket of Object.values(this.#sockets)) socket.destroy();
  }

  async #carry(way: Way): Promise<void> {
    const to = this.#sockets[way === "up" ? "down" : "up"];
    try {
      for await (const piece of this.#sockets[way].iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (this.#spoiling.delay) await delay(this.#spoiling.delay);
        await this.#stalled[way]?.opened;
        if (!(await this.#pass(way, { piece, to }))) return;
      }
    } catch {
      return this.cut("reset");
    }
    to.end();
  }

  /** False when the connection was cut in, before or after this piece. */
  async #pass(way: Way, { piece, to }: { piece: Buffer; to: Socket }): Promise<boolean> {
    const { cut } = this.#spoiling;
    const left = cut?.way === way ? cut.after - this.carried[way] : Number.POSITIVE_INFINITY;
    const passed = piece.subarray(0, left);
    this.carried[way] += passed.length;
    if (passed.length > 0 && !(await written(to, passed))) return false;
    if (cut && left < piece.length) this.cut(cut.by);
    return this.#state === "open";
  }
}

/** Resolves once the kernel has the bytes: a cut that follows comes after them. */
function written(socket: Socket, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => socket.write(bytes, (error) => resolve(!error)));
}
