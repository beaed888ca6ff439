/** The door for what comes through the server: each channel brings a grant of its own, whoever carried it here. */

import type { Duplex } from "node:stream";
import * as z from "zod/mini";
import type { GrantVerifier, VerifiedGrant } from "../../auth/signed-grant.ts";
import type { Subject } from "../../auth/grant.ts";
import type { Channel } from "../../mux/channel.ts";
import { CLOSE } from "../../mux/errors.ts";
import { json } from "../../protocol/json.ts";
import { ConnectBody, type HeldSubjects } from "../../protocol/relayed.ts";
import type { Grant } from "../../protocol/rights.ts";
import { SUBPROTOCOL } from "../../protocol/version.ts";
import { toFairleadError } from "./failure.ts";
import { parseBody } from "./open.ts";
import type { Passes } from "./passes.ts";
import type { Visitor } from "./purpose.ts";
import type { Arrival } from "./reception.ts";
import { nameHere, nameThere } from "./server-subject.ts";
import type { Sessions } from "./sessions.ts";

/** The header of an OPEN that comes from a server; what its client asked for is in the grant. */
const Envelope = z.strictObject({ grant: z.string() });

/** Withdrawn access is told by name, and ends the sessions themselves. */
const NEVER = new AbortController().signal;

export interface RelayedParts {
  sessions: Pick<Sessions, "connect" | "receive" | "refuse" | "subjects" | "withdraw">;
  verifier: GrantVerifier;
  /** Those who came directly are withdrawn with the others. */
  passes: Pick<Passes, "withdraw" | "names">;
  /** Takes a connection to this agent's own HTTP side, and who uses it. */
  serveHttp: (channel: Channel, subject: Subject) => void;
  /** Carries the bytes of a connection to a container, both ways until its end. */
  carry: (channel: Channel, socket: Duplex) => void;
}

/** Whether it is the server that says who this is. */
export function cameThroughServer({ grant }: Subject): boolean {
  return nameThere(grant.subject) !== undefined;
}

export class Relayed {
  readonly #parts: RelayedParts;

  constructor(parts: RelayedParts) {
    this.#parts = parts;
  }

  /** Serves a channel that the server opened, if its grant is good. */
  accept(channel: Channel): void {
    const { request } = channel;
    try {
      const { grant } = parseBody(Envelope, request.header);
      this.#enter(channel, this.#parts.verifier.verify(grant, request.body));
    } catch (error) {
      this.#parts.sessions.refuse({ channel, request, visitor: visitorOf("unknown") }, toFairleadError(error));
    }
  }

  #enter(channel: Channel, { grant, session, header }: VerifiedGrant): void {
    if (header["op"] === "withdraw") return void this.#withdraw(channel, grant.subject);
    if (header["op"] === "subjects") return this.#tellSubjects(channel);
    // The server's audit has the same name for it, and whoever is refused is told that.
    const visitor = { ...visitorOf(grant.subject, grant), request: session };
    if (header["op"] === "http") return this.#parts.serveHttp(channel, visitor.subject);
    if (header["op"] === "connect") return void this.#connect(channel, visitor.subject, String(header["session"]));
    // Whether it is for this node the grant has told; a node may be called by other names than its own.
    const { node: _, ...asked } = header;
    const request = { header: json(asked), body: channel.request.body };
    const arrival: Arrival = { channel, request, visitor, session };
    this.#parts.sessions.receive(arrival);
  }

  /** The server shows this subject a container's page, and needs a connection. */
  async #connect(channel: Channel, subject: Subject, session: string): Promise<void> {
    try {
      const { secret } = parseBody(ConnectBody, channel.request.body);
      const socket = await this.#parts.sessions.connect({ session, secret }, subject);
      if (channel.open) this.#parts.carry(channel, socket);
      else socket.destroy();
    } catch (error) {
      answer(channel, toFairleadError(error).problem());
    }
  }

  /** The server has withdrawn somebody's access: what he has open here ends, also what waits for him to come back. */
  async #withdraw(channel: Channel, name: string): Promise<void> {
    this.#parts.passes.withdraw(name);
    await this.#parts.sessions.withdraw(nameHere(name));
    answer(channel, {});
  }

  /** The server's word is worth nothing any more: what was opened by it ends. */
  async withdrawAll(): Promise<void> {
    await Promise.all(this.#names().map((name) => this.#parts.sessions.withdraw(nameHere(name))));
  }

  #tellSubjects(channel: Channel): void {
    const names = new Set([...this.#names(), ...this.#parts.passes.names]);
    answer(channel, { subjects: [...names] } satisfies HeldSubjects);
  }

  /** Of those who hold sessions, as the server knows them. */
  #names(): string[] {
    return [...this.#parts.sessions.subjects()].flatMap((subject) => nameThere(subject) ?? []);
  }
}

function visitorOf(name: string, grant?: Grant): Visitor {
  const own = { rights: [], scopes: [], ...grant, subject: nameHere(name) };
  return { subject: { grant: own, revoked: NEVER }, remote: `server ${SUBPROTOCOL}` };
}

function answer(channel: Channel, value: object): void {
  channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
  channel.reply(json(value));
  channel.close(CLOSE.normal, "answered");
}
