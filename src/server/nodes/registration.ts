/** What agents ask of the server: to be let in, to be known again, to change their key, and to report. */

import { isSignedBy, keyId, type SigningKey } from "../../auth/keys.ts";
import type { HostIdentity } from "../../door/identity.ts";
import { FairleadError } from "../../protocol/errors.ts";
import {
  type BeatReply,
  type BootstrapRequest,
  type KeyRequest,
  keyProof,
  type RegisterReply,
  type ServerReply,
  serverProof,
} from "../../protocol/fleet.ts";
import type { Beat, NodeFacts } from "../../protocol/node.ts";
import { rethrowUnlessUnavailable } from "../store/failure.ts";
import type { BootstrapTokens } from "./bootstrap.ts";
import type { Nodes } from "./nodes.ts";
import type { NodeRecord } from "./record.ts";

/** Keys of one host that are good at a time: the one in use, and a new one until it is used. */
const MAX_KEYS = 2;

interface RegistrationParts {
  nodes: Nodes;
  tokens: BootstrapTokens;
  grantKey: SigningKey;
  /** Of the certificate, where the server has one. */
  pin: () => string | undefined;
}

export class Registration {
  /** Reports that were taken. */
  beats = 0;
  readonly #nodes: Nodes;
  readonly #tokens: BootstrapTokens;
  readonly #grantKey: SigningKey;
  readonly #pin: () => string | undefined;

  constructor({ nodes, tokens, grantKey, pin }: RegistrationParts) {
    this.#nodes = nodes;
    this.#tokens = tokens;
    this.#grantKey = grantKey;
    this.#pin = pin;
  }

  /** Proves to agents that the certificate with which this server serves now is its own. Throws `not-found` without one. */
  prove(nonce: string): ServerReply {
    const pin = this.#pin();
    if (pin === undefined) throw new FairleadError("not-found", "This server has no certificate of its own.");
    return { pin, proof: this.#grantKey.sign(serverProof(nonce, pin)) };
  }

  /** Exchanges a one-time token for a place in the fleet. Asked again with the same key it answers the same: the answer may have been lost. */
  async bootstrap(token: string, { publicKey, proof, facts }: BootstrapRequest): Promise<RegisterReply> {
    if (!isSignedBy(publicKey, keyProof(token, publicKey), proof))
      throw new FairleadError("unauthenticated", "The proof is not signed with the key that came with it.");
    const { node, uid } = await this.#tokens.redeem(token, publicKey);
    const now = Date.now();
    const record = await this.#nodes.records.update(node, (before) => {
      if (before.uid !== uid || (before.keys.length > 0 && before.keys[0]?.publicKey !== publicKey)) throw gone(node);
      const keys = [{ id: keyId(publicKey), publicKey, since: now }];
      return { ...before, keys, epoch: before.epoch + 1, registered: now, facts };
    });
    if (!record) throw gone(node);
    await this.#nodes.tell("NodeRegistered", node, `registered from ${facts.hostname}`);
    return this.#reply(record);
  }

  /** A new epoch for a host that proved its key. Throws `cloned-identity` when another has registered with it since. */
  async register(host: HostIdentity, facts: NodeFacts): Promise<RegisterReply> {
    const record = await this.#nodes.records
      .update(host.name, (before) => {
        if (before.uid !== host.uid) throw unknown(host.name);
        if (host.epoch < before.used) throw cloned(host.name);
        // A server that went back to a backup counts on from where the host is.
        const epoch = Math.max(before.epoch, host.epoch) + 1;
        return { ...before, epoch, registered: Date.now(), facts };
      })
      .catch((error: unknown) => this.#suspect(error, host, facts));
    if (!record) throw unknown(host.name);
    this.#nodes.live.cut(host.uid, new FairleadError("stale-epoch", "The host has registered again."));
    return this.#reply(record);
  }

  /** Adds a key; the old one is good until the new one is used. */
  async changeKey(host: HostIdentity, { publicKey, proof }: KeyRequest): Promise<void> {
    if (!isSignedBy(publicKey, keyProof(host.uid, publicKey), proof))
      throw new FairleadError("unauthenticated", "The proof is not signed with the key that came with it.");
    await this.#nodes.records.update(host.name, (before) => {
      const [oldest] = before.keys;
      const known = before.keys.some((key) => key.publicKey === publicKey);
      if (known || !oldest) return undefined;
      const keys = [oldest, { id: keyId(publicKey), publicKey, since: Date.now() }].slice(-MAX_KEYS);
      return { ...before, keys, rotate: false };
    });
    await this.#nodes.tell("NodeKeyChanged", host.name, "has a new key");
  }

  /** Takes a report, and tells the settings that hold from now on. */
  async beat(host: HostIdentity, beat: Beat, address: string): Promise<BeatReply> {
    const record = await this.#nodes.records.get(host.name);
    if (!record || record.uid !== host.uid) throw unknown(host.name);
    const settings = this.#nodes.settingsOf(record);
    const returned = !this.#nodes.live.isReady(host.uid);
    // It is there whether or not that can be written; what cannot is written with one of the next reports.
    if (returned || !record.ready || record.address !== address)
      await this.#nodes.records
        .update(host.name, (before) => ({ ...before, ready: true, address }))
        .catch(rethrowUnlessUnavailable);
    if (returned) await this.#nodes.tell("NodeReady", host.name, `reports from ${address}`);
    // Last, so that whoever sees it Ready can rely on it after a crash too.
    this.#nodes.live.reported(host.uid, { beat, address, interval: settings.heartbeatInterval });
    this.beats += 1;
    return { settings, rotate: record.rotate };
  }

  async #suspect(error: unknown, { name, uid }: HostIdentity, { hostname, machineId }: NodeFacts): Promise<never> {
    if (error instanceof FairleadError && error.code === "cloned-identity") {
      const known = (await this.#nodes.records.get(name))?.facts;
      const same = machineId !== undefined && machineId === known?.machineId;
      const words = `is there twice: ${hostname} came with the identity of ${known?.hostname} (${same ? "the same" : "another"} machine id)`;
      const message = `The host ${name} ${words}.`;
      const isKnown = this.#nodes.live.of(uid).warnings.some((warning) => warning.message === message);
      this.#nodes.live.warn(uid, error.code, message);
      // It comes again and again, and would push everything else out of the history.
      if (!isKnown) await this.#nodes.tell("NodeCloned", name, words);
    }
    throw error;
  }

  #reply(record: NodeRecord): RegisterReply {
    const { name, uid, epoch } = record;
    return { name, uid, epoch, settings: this.#nodes.settingsOf(record), grantKey: this.#grantKey.publicKey };
  }
}

export function unknown(name: string): FairleadError {
  return new FairleadError(
    "unknown-node",
    `The server knows no host ${name} with this key. Get a token with: ctl nodes add ${name}`,
  );
}

function cloned(name: string): FairleadError {
  return new FairleadError(
    "cloned-identity",
    `Another host has registered as ${name} with a copy of this host's key since. If this host is the copy, remove identity.json from its data_dir and give it a token of its own (ctl nodes add NAME); if it is the original, remove and add it again.`,
  );
}

function gone(name: string): FairleadError {
  return new FairleadError("unauthenticated", `The host ${name} was removed or registered meanwhile. Add it again.`);
}
