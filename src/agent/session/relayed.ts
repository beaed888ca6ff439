/** The door for what comes through the server: each channel brings a grant of its own, whoever carried it here. */

import * as z from "zod/mini";
import type { GrantVerifier, VerifiedGrant } from "../../auth/signed-grant.ts";
import type { Channel } from "../../mux/channel.ts";
import type { HeldSubjects } from "../../protocol/relayed.ts";
import { SUBPROTOCOL } from "../../protocol/version.ts";
import { parseBody } from "./open.ts";
import { json, toFairleadError, type Visitor } from "./session.ts";
import type { Arrival, Sessions } from "./sessions.ts";

/** The header of an OPEN that comes from a server; what its client asked for is in the grant. */
const Envelope = z.strictObject({ grant: z.string() });

/** Before the names of those who come through the server: nobody there can be taken for somebody of this agent's own. */
const PREFIX = "server:";
/** Withdrawn access is told by name, and ends the sessions themselves. */
const NEVER = new AbortController().signal;

export interface RelayedParts {
  sessions: Pick<Sessions, "receive" | "refuse" | "subjects" | "withdraw">;
  verifier: GrantVerifier;
}

export class Relayed {
  readonly #sessions: RelayedParts["sessions"];
  readonly #verifier: GrantVerifier;

  constructor({ sessions, verifier }: RelayedParts) {
    this.#sessions = sessions;
    this.#verifier = verifier;
  }

  /** Serves a channel that the server opened, if its grant is good. */
  accept(channel: Channel): void {
    const { request } = channel;
    try {
      const { grant } = parseBody(Envelope, request.header);
      this.#enter(channel, this.#verifier.verify(grant, request.body));
    } catch (error) {
      this.#sessions.refuse({ channel, request, visitor: visitorOf("unknown") }, toFairleadError(error));
    }
  }

  #enter(channel: Channel, { grant, session, header }: VerifiedGrant): void {
    if (header["op"] === "withdraw") return void this.#withdraw(channel, grant.subject);
    if (header["op"] === "subjects") return this.#tellSubjects(channel);
    const { subject, remote } = visitorOf(grant.subject);
    const visitor = { subject: { ...subject, grant: { ...grant, subject: subject.grant.subject } }, remote };
    // Whether it is for this node the grant has told; a node may be called by other names than its own.
    const { node: _, ...asked } = header;
    const request = { header: json(asked), body: channel.request.body };
    const arrival: Arrival = { channel, request, visitor, session };
    this.#sessions.receive(arrival);
  }

  /** The server has withdrawn somebody's access: what he has open here ends, also what waits for him to come back. */
  async #withdraw(channel: Channel, name: string): Promise<void> {
    await this.#sessions.withdraw(PREFIX + name);
    answer(channel, {});
  }

  #tellSubjects(channel: Channel): void {
    const names = [...this.#sessions.subjects()].filter((name) => name.startsWith(PREFIX));
    answer(channel, { subjects: names.map((name) => name.slice(PREFIX.length)) } satisfies HeldSubjects);
  }
}

function visitorOf(name: string): Visitor {
  const grant = { subject: PREFIX + name, rights: [], scopes: [] };
  return { subject: { grant, revoked: NEVER }, remote: `server ${SUBPROTOCOL}` };
}

function answer(channel: Channel, value: object): void {
  channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
  channel.reply(json(value));
  channel.close(1000, "answered");
}
