/** A relay on real sockets, and desks and clients that dial it: the server without its database. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { Passes, type PassesParts } from "../../src/agent/session/passes.ts";
import { Relayed, type RelayedParts } from "../../src/agent/session/relayed.ts";
import { Realtime } from "../../src/agent/uplink/realtime.ts";
import type { Subject } from "../../src/auth/grant.ts";
import { newKey } from "../../src/auth/keys.ts";
import { PassVerifier } from "../../src/auth/pass.ts";
import { GrantSigner, GrantVerifier } from "../../src/auth/signed-grant.ts";
import { Client, type ClientOptions } from "../../src/client/client.ts";
import { ChannelStream, joinStreams } from "../../src/door/channel-stream.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { GoAway } from "../../src/mux/frame.ts";
import type { Transport } from "../../src/mux/transport.ts";
import { reset } from "../../src/net/reset.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import type { Grant } from "../../src/protocol/rights.ts";
import { SESSIONS_PATH, SUBPROTOCOL, UPLINK_PATH } from "../../src/protocol/version.ts";
import type { RelayAuditLine } from "../../src/server/relay/ledger.ts";
import { Relay } from "../../src/server/relay/relay.ts";
import { Uplinks } from "../../src/server/relay/uplinks.ts";
import { Withdrawal } from "../../src/server/relay/withdrawal.ts";
import { ADMIN, type DeskOptions, startDesk } from "./desk.ts";

const BUDGET = 64 * 1024 * 1024;
/** Shorter than in earnest, in milliseconds. */
const RETRY = { first: 20, max: 100 };

type Joining = Pick<RelayedParts, "sessions"> & {
  serveHttp?: RelayedParts["serveHttp"];
  budget: Budget;
  port?: number;
};

interface Person {
  subject: Subject;
  revoke: AbortController;
}

/** What a started server is made of; a restart makes it all anew, but for the keys and the people. */
interface Running {
  http: Server;
  uplinks: Uplinks;
  relay: Relay;
  budget: Budget;
  sockets: Set<Socket>;
}

export class RelayRig implements AsyncDisposable {
  readonly audit: RelayAuditLine[] = [];
  readonly #key = newKey();
  readonly #people = new Map<string, Person>();
  /** Nodes that have taken the names of others, by these. */
  readonly #heirs = new Map<string, string>();
  readonly #undo: (() => Promise<unknown>)[] = [];
  #port = 0;
  #running: Running | undefined;

  static async start(): Promise<RelayRig> {
    const rig = new RelayRig();
    rig.admit("test", ADMIN);
    await rig.open();
    return rig;
  }

  get port(): number {
    return this.#port;
  }

  /** Memory that the relay has taken beyond what is guaranteed, in bytes. */
  get used(): number {
    return this.#running?.budget.used ?? 0;
  }

  get relay(): Relay {
    if (!this.#running) throw new Error("the relay does not run");
    return this.#running.relay;
  }

  /** Whose token is this name. */
  admit(token: string, grant: Grant): void {
    const revoke = new AbortController();
    this.#people.set(token, { subject: { grant: { ...grant, subject: token }, revoked: revoke.signal }, revoke });
  }

  revoke(token: string): void {
    const person = this.#people.get(token);
    this.#people.delete(token);
    person?.revoke.abort(new FairleadError("revoked", "withdrawn"));
  }

  /** One was removed, and its name given to another. */
  rename(former: string, heir: string): void {
    this.#heirs.set(former, heir);
  }

  /** Listens where it listened before, and remembers nothing of then. */
  async open(): Promise<void> {
    const budget = new Budget(BUDGET);
    const changed = (node: string, connected: boolean) => void (connected && withdrawal.catchUp(node));
    const uplinks = new Uplinks({ budget, software: "test", changed });
    const signer = new GrantSigner(this.#key);
    const withdrawal = new Withdrawal({ messaging: uplinks, signer, known: (subject) => this.#people.has(subject) });
    const relay = new Relay({
      messaging: uplinks,
      signer,
      reach: async ({ grant }, node) =>
        node.startsWith("box")
          ? { id: `id-${this.#heirs.get(node) ?? node}`, name: node, grant, disabled: false }
          : undefined,
      withdraw: (subject) => void withdrawal.tell(subject, uplinks.nodes),
      audit: (line) => this.audit.push(line),
      budget,
      software: "test",
    });
    const sockets = new Set<Socket>();
    const http = createServer();
    const running = { http, uplinks, relay, budget, sockets };
    http.on("connection", (socket) => sockets.add(socket));
    const doors = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      doors.handleUpgrade(request, socket, head, (ws) =>
        this.#welcome(request, new SocketTransport({ socket: ws, wire: socket, peer: "client" }), running),
      );
    });
    await once(http.listen(this.#port, "127.0.0.1"), "listening");
    this.#port = (http.address() as AddressInfo).port;
    this.#running = running;
  }

  /** What `kill -9` does: every connection is gone, and nobody says goodbye. */
  async kill(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    const closed = once(running.http, "close");
    running.http.close();
    for (const socket of running.sockets) reset(socket);
    await closed;
  }

  /** A desk that is reached through this relay as node `name`, perhaps by way of another port. */
  async desk(name: string, { port, ...options }: DeskOptions & { port?: number } = {}) {
    const desk = await startDesk(options);
    const line = this.connect(name, { sessions: desk.sessions, budget: desk.budget, ...(port && { port }) });
    this.#undo.push(() => desk.close());
    return Object.assign(desk, line);
  }

  /** Connects an agent's parts as node `name`. */
  connect(name: string, { sessions, budget, serveHttp, port }: Joining) {
    const relayed = new Relayed({
      sessions,
      passes: noPasses(sessions),
      verifier: new GrantVerifier(() => ({ agent: `id-${name}`, key: this.#key.publicKey })),
      serveHttp: serveHttp ?? ((channel) => channel.close(4501, "no HTTP here")),
      carry: (channel, socket) => joinStreams(new ChannelStream(channel), socket),
    });
    let connected = false;
    const realtime = new Realtime({
      dial: (signal) => dial(port ?? this.#port, { path: UPLINK_PATH, token: `id-${name}` }, signal),
      accept: (channel) => relayed.accept(channel),
      onState: (state) => {
        connected = state.connected;
      },
      budget,
      software: "test",
      retry: RETRY,
    });
    realtime.start();
    this.#undo.push(() => realtime.close());
    return { isConnected: () => connected, farewell: (words: GoAway) => realtime.farewell(words) };
  }

  /** A client of this person's, perhaps by way of another port. */
  client(options: { token?: string; port?: number; onState?: ClientOptions["onState"] } = {}): Client {
    const { token = "test", onState } = options;
    const client = new Client({
      dial: (signal) => dial(options.port ?? this.#port, { path: SESSIONS_PATH, token }, signal),
      software: "test",
      ...(onState && { onState }),
    });
    this.#undo.push(() => client.close());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.toReversed()) await undo();
    this.#running?.relay.close();
    await this.kill();
  }

  #welcome({ url, headers }: IncomingMessage, transport: Transport, { relay, uplinks }: Running): void {
    const token = headers.authorization ?? "";
    if (url === UPLINK_PATH) return void uplinks.hold(token, transport);
    const person = this.#people.get(token);
    if (!person) return transport.close(4401, "who are you?");
    relay.serve(transport, person.subject, { address: "127.0.0.1", door: "test" });
  }
}

/** For an agent that nobody dials. */
export function noPasses(sessions: PassesParts["sessions"]): Passes {
  return new Passes({ sessions, verifier: new PassVerifier({ trusted: () => undefined, pin: () => undefined }) });
}

/** Opens a WebSocket there as somebody. Rejects as a client's dialler does. */
export function dial(
  port: number,
  { path, token }: { path: string; token: string },
  signal: AbortSignal,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const wire = connect({ port, host: "127.0.0.1", noDelay: true });
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [SUBPROTOCOL], {
      headers: { authorization: token },
      perMessageDeflate: false,
      generateMask: (mask) => void mask.fill(0),
      createConnection: () => wire,
    });
    signal.addEventListener("abort", () => socket.terminate(), { once: true });
    socket.once("open", () => resolve(new SocketTransport({ socket, wire, peer: "server" })));
    socket.once("error", (error) => reject(new FairleadError("unreachable", error.message)));
  });
}
