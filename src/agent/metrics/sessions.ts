/** The figures of sessions: by kind and by how they began and ended, never by container or person. */

import { Counter, Histogram, type Registry } from "prom-client";
import { Figures } from "../../door/figures.ts";
import type { Budget } from "../../mux/budget.ts";
import type { AgentConfig } from "../config.ts";
import type { Meter } from "../session/meter.ts";
import type { Moved, Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const NOTHING: Moved = { bytesIn: 0, bytesOut: 0, connections: 0 };

export class SessionMeter implements Meter {
  readonly #opened: Counter;
  readonly #resumed: Counter;
  readonly #ended: Counter;
  readonly #refused: Counter;
  readonly #began: Histogram;
  /** Not over yet, and what those that are have moved, by kind. */
  readonly #live = new Set<Session>();
  readonly #over = new Map<string, Moved>();

  constructor(registry: Registry) {
    const counter = (name: string, help: string, labelNames: string[]) =>
      new Counter({ name: `fairlead_sessions_${name}_total`, help, labelNames, registers: [registry] });
    this.#opened = counter("opened", "Sessions that were authorised.", ["kind"]);
    this.#resumed = counter("resumed", "Times that a session went on over another connection.", ["kind"]);
    this.#ended = counter("ended", "Sessions that are over, by how they ended.", ["kind", "reason"]);
    this.#refused = counter("refused", "Requests for sessions that were refused, by why.", ["kind", "code"]);
    this.#began = new Histogram({
      name: "fairlead_session_open_seconds",
      help: "From the request for a session, or for a connection of a forward, to the word that it is on.",
      labelNames: ["kind"],
      buckets: BUCKETS,
      registers: [registry],
    });
  }

  opened(session: Session): void {
    const { kind } = session.purpose;
    this.#opened.inc({ kind });
    this.#live.add(session);
    // Only then nothing moves any more, in its connections neither.
    void session.closed
      .then(() => session.worked)
      .then(() => {
        this.#live.delete(session);
        this.#over.set(kind, sum(this.#over.get(kind), session));
      });
  }

  began(kind: string, seconds: number): void {
    this.#began.observe({ kind }, seconds);
  }

  resumed(kind: string): void {
    this.#resumed.inc({ kind });
  }

  ended(kind: string, reason: string): void {
    this.#ended.inc({ kind, reason });
  }

  refused(kind: string, code: string): void {
    this.#refused.inc({ kind, code });
  }

  /** Up to now, by kind; `of` tells what a live one has moved. */
  moved(of: (session: Session) => Moved): Map<string, Moved> {
    const all = new Map(this.#over);
    for (const session of this.#live) {
      const { kind } = session.purpose;
      all.set(kind, sum(all.get(kind), of(session)));
    }
    return all;
  }
}

function sum(one = NOTHING, { bytesIn, bytesOut, connections }: Moved): Moved {
  return {
    bytesIn: one.bytesIn + bytesIn,
    bytesOut: one.bytesOut + bytesOut,
    connections: one.connections + connections,
  };
}

export interface SessionFigures {
  meter: SessionMeter;
  sessions: Sessions;
  /** Channels that are open on the connection to the server. */
  relayed: () => number;
}

export function sessionMetrics(registry: Registry, { meter, sessions, relayed }: SessionFigures): void {
  const figures = new Figures(registry);
  const moved = () => [...meter.moved((session) => sessions.moved(session))];
  const live = "Live sessions; of kind connection: the TCP connections of forwards.";
  figures.gauge({ name: "fairlead_sessions", help: live, labels: ["kind"] }, () =>
    Object.entries(sessions.counts()).map(([kind, count]) => [{ kind }, count]),
  );
  const bytes = "Payload of sessions up to now, from clients (in) and to them (out).";
  figures.counter({ name: "fairlead_session_bytes_total", help: bytes, labels: ["kind", "direction"] }, () =>
    moved().flatMap(([kind, { bytesIn, bytesOut }]) => [
      [{ kind, direction: "in" }, bytesIn],
      [{ kind, direction: "out" }, bytesOut],
    ]),
  );
  const made = "TCP connections that forwards and containers' pages have made.";
  figures.counter({ name: "fairlead_forwarded_connections_total", help: made, labels: ["kind"] }, () =>
    moved()
      .filter(([, { connections }]) => connections > 0)
      .map(([kind, { connections }]) => [{ kind }, connections]),
  );
  const channels = "Open channels, on clients' own connections (direct) and on the one to the server.";
  figures.gauge({ name: "fairlead_channels", help: channels, labels: ["via"] }, () => [
    [{ via: "direct" }, sessions.traffic.channels],
    [{ via: "server" }, relayed()],
  ]);
  const clients = "Open connections of clients that carry channels.";
  figures.gauge({ name: "fairlead_client_connections", help: clients }, () => sessions.traffic.clients);
  const carried = "Open TCP connections of forwards and containers' pages.";
  figures.gauge({ name: "fairlead_forwarded_connections", help: carried }, () => sessions.traffic.connections);
}

/** How much there may be, beside how much there is. */
export function limitMetrics(registry: Registry, { config, budget }: { config: AgentConfig; budget: Budget }): void {
  const figures = new Figures(registry);
  const gauge = (name: string, help: string, value: () => number) =>
    figures.gauge({ name: `fairlead_${name}`, help }, value);
  gauge("sessions_limit", "max_sessions.", () => config.max_sessions);
  gauge("forwarded_connections_limit", "max_forwarded_connections.", () => config.max_forwarded_connections);
  gauge("replay_budget_limit_bytes", "replay_budget.", () => budget.total);
  const used = "Memory that replay buffers and windows took beyond what each session is guaranteed.";
  gauge("replay_budget_used_bytes", used, () => budget.used);
}
