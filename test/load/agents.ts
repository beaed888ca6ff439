/**
 * A process full of agents without engines: keys, registration, reports and lines are the real ones, hosts and containers
 * are made up. Its parent tells it where to go, and asks now and then what has happened.
 */

import { Relayed } from "../../src/agent/session/relayed.ts";
import { dialServer } from "../../src/agent/uplink/dial.ts";
import { Heartbeat } from "../../src/agent/uplink/heartbeat.ts";
import { Identity } from "../../src/agent/uplink/identity.ts";
import { Realtime } from "../../src/agent/uplink/realtime.ts";
import { Registrar } from "../../src/agent/uplink/register.ts";
import { ServerAgent } from "../../src/agent/uplink/secure.ts";
import { GrantVerifier } from "../../src/auth/signed-grant.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { Beat } from "../../src/protocol/node.ts";
import { BEAT, FACTS } from "../support/host.ts";
import { newTally, type Order, type Tally } from "./tally.ts";

/** Windows of all lines of this process together, in bytes. */
const MEMORY = 64 * 1_048_576;
/** Whose figures go along with each report. */
const CONTAINERS = 10;
/** Bytes that figures rise to. */
const MANY = 4_000_000_000;

class Crowd {
  #tally: Tally = newTally();
  readonly #connected = new Set<string>();
  readonly #reported = new Set<string>();
  readonly #budget = new Budget(MEMORY);

  begin(): void {
    this.#tally = newTally();
    this.#reported.clear();
  }

  tell(): Tally {
    return { ...this.#tally, connected: this.#connected.size, reported: this.#reported.size };
  }

  async join(server: URL, token: string): Promise<void> {
    const identity = await Identity.open(memory());
    const address = {
      url: server,
      get pin() {
        return identity.pin;
      },
    };
    const { signal } = new AbortController();
    const line = { server: address, agent: new ServerAgent(address), signal };
    const realtime = this.#line(address, identity);
    let before: number | undefined;
    const heartbeat = new Heartbeat({
      registrar: new Registrar({ line, identity, facts: async () => FACTS, token: async () => token }),
      beat: report,
      settled: () => realtime.start(),
      keyIsOld: () => false,
      reported: (failure) => {
        if (failure) return this.#note("refused", failure.message);
        const now = Date.now();
        if (before !== undefined) this.#tally.gaps.push(now - before);
        before = now;
        this.#reported.add(token);
      },
    });
    void heartbeat.run(signal);
  }

  #line(server: { url: URL; pin: string | undefined }, identity: Identity): Realtime {
    const dial = dialServer({ server, signer: () => identity.signer });
    const key = identity.key.id;
    const relayed = new Relayed({
      sessions: {
        connect: () => Promise.reject(new Error("no containers here")),
        receive() {},
        refuse() {},
        subjects: () => new Set(),
        withdraw: async () => {},
      },
      passes: { names: new Set(), withdraw() {} },
      verifier: new GrantVerifier(() => {
        const { uid: agent = "", grantKey = "" } = identity.registered ?? {};
        return { agent, key: grantKey };
      }),
      serveHttp: (channel) => channel.close(4501, "no HTTP here"),
      carry: (_channel, socket) => void socket.destroy(),
    });
    return new Realtime({
      dial: (signal) => {
        this.#note("dials", second());
        return dial(signal);
      },
      accept: (channel) => relayed.accept(channel),
      onState: (state) => {
        if (state.connected) this.#connected.add(key);
        else this.#connected.delete(key);
        if (state.connected) this.#note("lines", second());
      },
      budget: this.#budget,
      software: "fairlead-test",
    });
  }

  #note(what: "dials" | "lines" | "refused", key: string | number): void {
    const counts = this.#tally[what];
    counts[key] = (counts[key] ?? 0) + 1;
  }
}

/** Every figure that moves on a host is another one each time. */
function report(): Beat {
  const used = (id: number) => ({
    id: String(id).repeat(64),
    name: `container-${id}`,
    cpu: 100 * Math.random(),
    memory: { used: any(), limit: 2 * MANY },
    network: { received: any(), sent: any() },
    block: { read: any(), written: any() },
    pids: 10,
  });
  return {
    ...BEAT,
    cpuUsage: 100 * Math.random(),
    memoryFree: any(),
    diskTotal: 2 * MANY,
    diskFree: any(),
    diskRead: any(),
    diskWritten: any(),
    received: any(),
    sent: any(),
    load: Math.random(),
    processes: 300,
    containers: Array.from({ length: CONTAINERS }, (_, id) => used(id)),
    gatewayStatus: "connected",
  };
}

function any(): number {
  return Math.floor(MANY * Math.random());
}

function second(): number {
  return Math.floor(Date.now() / 1_000);
}

/** A state directory that is gone with the process. */
function memory() {
  const files = new Map<string, string>();
  return {
    path: "memory",
    read: async (name: string) => files.get(name),
    replace: async (name: string, data: string) => void files.set(name, data),
  };
}

const crowd = new Crowd();
process.on("message", (order: Order) => {
  if (order.do === "begin") crowd.begin();
  else if (order.do === "tell") process.send?.(crowd.tell());
  else for (const token of order.tokens) void crowd.join(new URL(order.url), token);
});
// Whoever told it what to do is gone.
process.once("disconnect", () => process.exit(0));
