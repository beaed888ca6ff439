/** The sessions that come through the server, as the agent puts them together: the line that brings them, and the desk that checks their grants. */

import type { Trusted } from "../auth/server-word.ts";
import { GrantVerifier } from "../auth/signed-grant.ts";
import { ChannelStream, joinStreams, VouchedStream } from "../door/channel-stream.ts";
import type { Front } from "../door/front.ts";
import type { Budget } from "../mux/budget.ts";
import type { GoAway } from "../mux/frame.ts";
import { ERRORS, FairleadError } from "../protocol/errors.ts";
import type { Beat } from "../protocol/node.ts";
import type { Passes } from "./session/passes.ts";
import { Relayed } from "./session/relayed.ts";
import type { Sessions } from "./session/sessions.ts";
import { dialServer } from "./uplink/dial.ts";
import type { Identity } from "./uplink/identity.ts";
import { LineLost, Realtime, type RealtimeState } from "./uplink/realtime.ts";
import type { ServerAddress } from "./uplink/secure.ts";
import type { UplinkLog } from "./uplink/uplink.ts";

/** To whom this host belongs, and who it is there. */
export interface Membership {
  server: ServerAddress;
  identity: Identity;
}

export interface SessionsLineParts {
  sessions: Sessions;
  passes: Passes;
  gateway: Pick<Front, "take">;
  budget: Budget;
  software: string;
  log: UplinkLog;
  /** Hears that sessions can come through the server, each time that begins. */
  connected: () => void;
}

export class SessionsLine {
  readonly #realtime: Realtime;
  readonly #relayed: Relayed;
  readonly #log: UplinkLog;
  readonly #passes: Passes;
  readonly #connected: () => void;
  #state: RealtimeState = { connected: false, error: "not connected yet", retryInMs: 0 };

  /** Dials nobody before it is started. */
  constructor({ server, identity }: Membership, parts: SessionsLineParts) {
    const { sessions, passes, gateway, budget, software, log } = parts;
    this.#log = log;
    this.#passes = passes;
    this.#connected = parts.connected;
    const relayed = (this.#relayed = new Relayed({
      sessions,
      passes,
      verifier: new GrantVerifier(() => trustedBy(identity)),
      serveHttp: (channel, subject) => gateway.take(new VouchedStream(channel, subject)),
      carry: (channel, socket) => joinStreams(new ChannelStream(channel), socket),
    }));
    this.#realtime = new Realtime({
      dial: dialServer({ server, signer: () => identity.signer }),
      accept: (channel) => relayed.accept(channel),
      onState: (state) => this.#changed(state),
      budget,
      software,
    });
  }

  /** As reports to the server tell it. */
  get status(): Pick<Beat, "gatewayStatus" | "gatewayStatusDetail"> {
    if (this.#state.connected) return { gatewayStatus: "connected" };
    return { gatewayStatus: "connecting", gatewayStatusDetail: wordsOf(this.#state.error) };
  }

  /** Channels that are open now. */
  get channels(): number {
    return this.#realtime.channels;
  }

  /** Once this host is registered. Idempotent. */
  start(): void {
    this.#realtime.start();
  }

  /** Tells the clients behind the server. */
  farewell(words: GoAway): void {
    this.#realtime.farewell(words);
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#realtime.close();
  }

  /** Each state is logged once, however often it is found again. */
  #changed(state: RealtimeState): void {
    const before = this.#state;
    this.#state = state;
    const expelled = !state.connected && isExpelled(state.error);
    if (expelled) void this.#relayed.withdrawAll();
    this.#passes.heard(state.connected ? "connected" : expelled ? "gone" : "away");
    if (state.connected) {
      this.#log.info({}, "sessions can come through the server");
      this.#connected();
    } else if (before.connected || wordsOf(before.error) !== wordsOf(state.error))
      this.#log.warn(
        { retryInMs: Math.round(state.retryInMs) },
        `No sessions through the server: ${wordsOf(state.error)}`,
      );
  }
}

/** The server's word is taken as long as this host belongs to it. */
export function trustedBy({ registered }: Identity): Trusted | undefined {
  if (registered?.grantKey === undefined) return undefined;
  return { agent: registered.uid, key: registered.grantKey };
}

/** Whether the server does not know this host any more: it was removed, or its key was. */
function isExpelled(error: unknown): boolean {
  if (error instanceof LineLost) return error.code === ERRORS.revoked.close;
  return error instanceof FairleadError && (error.code === "unknown-node" || error.code === "revoked");
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
