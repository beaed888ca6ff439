/** One helper container, seen from the agent: connections from inside another container's network, many over its standard streams. */

import type { Budget } from "../../../../mux/budget.ts";
import { CLOSE, type CloseInfo } from "../../../../mux/errors.ts";
import { Mux } from "../../../../mux/mux.ts";
import { RuntimeError } from "../../runtime.ts";
import { abortable } from "../deadline.ts";
import { Demux } from "../demux.ts";
import { describe } from "../errors.ts";
import type { Inside, InsideOptions } from "../inside.ts";
import type { Wire } from "../wire.ts";
import { ByteTransport } from "./byte-transport.ts";
import { CODE, encode, MAX_CONNECTIONS, replyIn } from "./message.ts";
import { GuestStream } from "./stream.ts";

/** Milliseconds without a connection after which it ends, unless said otherwise. */
const IDLE = 30_000;
/** Milliseconds that connections have to end by themselves, once the container's own processes have ended. */
const LINGER = 2_000;
/** Bytes of its complaints that are kept. */
const MAX_COMPLAINT = 2_000;

export interface GuestOptions {
  /** Starts the container and gives its standard streams, which the signal ends. */
  start: (signal: AbortSignal) => Promise<Wire>;
  /** For the windows of all connections. */
  budget: Budget;
  /** Instead of {@link IDLE}; given by tests only. */
  idle?: number;
}

export class Guest implements Inside {
  /** Resolves when it is of no use to anybody any more: its streams have ended, or it has not started. */
  readonly over: Promise<void>;
  readonly #life = new AbortController();
  readonly #idle: number;
  readonly #mux: Promise<Mux>;
  #state: "open" | "closing" | "ended" = "open";
  /** Connections, and dials that may become some. */
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #complaint = "";

  constructor(options: GuestOptions) {
    this.#idle = options.idle ?? IDLE;
    this.#mux = this.#start(options);
    this.over = this.#mux
      .then((mux) => mux.closed)
      .catch(() => {})
      .then(() => this.end());
  }

  get ended(): boolean {
    return this.#state !== "open";
  }

  /** Nobody is connected through it. */
  get isIdle(): boolean {
    return this.#size === 0;
  }

  async dial(port: number, options: InsideOptions): Promise<GuestStream> {
    if (this.ended) throw gone("it is being ended");
    if (this.#size >= MAX_CONNECTIONS) throw full();
    this.#size += 1;
    clearTimeout(this.#timer);
    try {
      const stream = await this.#dial(await abortable(this.#mux, options.signal), { port, ...options });
      stream.once("close", () => this.#left());
      return stream;
    } catch (error) {
      this.#left();
      throw error;
    }
  }

  /** Connections that are open may end by themselves, for a moment. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    clearTimeout(this.#timer);
    if (this.isIdle) this.end();
    else this.#timer = setTimeout(() => this.end(), LINGER);
  }

  /** With everything that it carries; idempotent. */
  end(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#life.abort();
  }

  async #start({ start, budget }: GuestOptions): Promise<Mux> {
    const wire = await start(this.#life.signal);
    const transport = new ByteTransport({ write: (bytes) => wire.write(bytes), close: () => wire.destroy() });
    const mux = new Mux(transport, { role: "dialler", software: "fairlead", budget });
    void this.#read(wire, transport).then((info) => transport.end(info));
    return mux;
  }

  /** Resolves with how it ended. */
  async #read(wire: Wire, transport: ByteTransport): Promise<CloseInfo> {
    const demux = new Demux((stream, bytes) => {
      if (stream === "stdout") transport.receive(bytes);
      else this.#complaint = (this.#complaint + bytes.toString()).slice(-MAX_COMPLAINT);
    });
    try {
      for await (const piece of wire.bulk()) demux.push(piece);
      return { code: CLOSE.cut, reason: this.#complaint.trim() || "it has ended" };
    } catch (error) {
      return { code: CLOSE.cut, reason: describe(error) };
    }
  }

  async #dial(mux: Mux, { port, timeout, signal }: InsideOptions & { port: number }): Promise<GuestStream> {
    const channel = mux.open({ header: encode({ port, timeout }), body: new Uint8Array(0) });
    const connected = new Promise<GuestStream>((resolve, reject) => {
      channel.start({
        reply: (bytes) => resolve(new GuestStream(channel, replyIn(bytes).address)),
        close: ({ code, reason }) => reject(code === CODE.failed ? failed(reason) : gone(reason)),
        message: () => {},
        credit: () => {},
        ack: () => {},
      });
    });
    try {
      return await abortable(connected, signal);
    } catch (error) {
      channel.close(CLOSE.normal, "");
      throw error;
    }
  }

  #left(): void {
    this.#size -= 1;
    if (!this.isIdle) return;
    if (this.#state === "closing") this.end();
    else if (this.#state === "open") this.#timer = setTimeout(() => this.close(), this.#idle).unref();
  }
}

function failed(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function gone(why: string): RuntimeError {
  return new RuntimeError("dial-failed", `The helper container in the container's network is gone: ${why}.`);
}

function full(): RuntimeError {
  const words = `There are ${MAX_CONNECTIONS} connections into the container's network already; end some of them.`;
  return new RuntimeError("dial-failed", words);
}
