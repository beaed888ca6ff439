/** Gets this host known to its server: the first time with a one-time token, from then on with its key. */

import { signatureHeaders } from "../../auth/signature.ts";
import { type ErrorCode, FairleadError } from "../../protocol/errors.ts";
import {
  BOOTSTRAP_PATH,
  BOOTSTRAP_SCHEME,
  KEY_PATH,
  keyProof,
  REGISTER_PATH,
  RegisterReply,
} from "../../protocol/fleet.ts";
import type { NodeFacts } from "../../protocol/node.ts";
import { call, type Line } from "./call.ts";
import type { Identity } from "./identity.ts";
import { readToken } from "./token.ts";

/** After these a token, if there is one, may help. */
const LET_GO: readonly string[] = ["unknown-node", "revoked", "wrong-key", "untrusted"] satisfies ErrorCode[];

export interface RegistrarParts {
  line: Line;
  identity: Identity;
  facts: () => Promise<NodeFacts>;
  /** The one-time token, read anew each time: the operator may have given another. */
  token: () => Promise<string | undefined>;
}

export class Registrar {
  readonly #parts: RegistrarParts;

  constructor(parts: RegistrarParts) {
    this.#parts = parts;
  }

  /** False for a registered host whose next registration could not be kept. */
  async canKeep(): Promise<boolean> {
    const { identity } = this.#parts;
    return !identity.registered || identity.isWritable();
  }

  /** Rejects with a FairleadError that says what to do. */
  async register(): Promise<RegisterReply> {
    if (!this.#parts.identity.registered) return this.#bootstrap();
    try {
      return await this.#again();
    } catch (error) {
      if (!(error instanceof FairleadError) || !LET_GO.includes(error.code)) throw error;
      return this.#bootstrap(error);
    }
  }

  /** A signed request; rejects with a FairleadError. Signed is the path that the server sees, without one that a proxy takes off. */
  async signed(path: string, body: object): Promise<unknown> {
    const { identity, line } = this.#parts;
    const { signer } = identity;
    if (!signer) throw new FairleadError("unauthenticated", "This host is not registered yet.");
    const text = JSON.stringify(body);
    const headers = signatureHeaders({ method: "POST", target: path, body: text }, signer);
    return call(line, { path, body: text, headers });
  }

  /** The old key is good until the new one is used, and a crash in between loses neither. */
  async changeKey(): Promise<void> {
    const { identity } = this.#parts;
    const next = await identity.nextKey();
    const { publicKey } = next;
    const proof = next.sign(keyProof(identity.registered?.uid ?? "", publicKey));
    await this.signed(KEY_PATH, { publicKey, proof });
    await identity.changeKey(next);
  }

  async #again(): Promise<RegisterReply> {
    const reply = understand(await this.signed(REGISTER_PATH, { facts: await this.#parts.facts() }));
    await this.#parts.identity.keep(reply);
    return reply;
  }

  /** `refused`: why the server does not take the host as it is. */
  async #bootstrap(refused?: FairleadError): Promise<RegisterReply> {
    const { identity, line, token, facts } = this.#parts;
    const given = await token();
    if (given === undefined)
      throw (
        refused ??
        new FairleadError(
          "unauthenticated",
          "This host has no token to register with; get one with: ctl nodes add NAME",
        )
      );
    const { text, pin } = readToken(given);
    const { publicKey } = identity.key;
    const proof = identity.key.sign(keyProof(text, publicKey));
    const body = JSON.stringify({ publicKey, proof, facts: await facts() });
    const headers = { authorization: `${BOOTSTRAP_SCHEME} ${text}` };
    const ask = async () => understand(await call(line, { path: BOOTSTRAP_PATH, body, headers }));
    return identity.trying(pin, ask).catch((error: unknown) => {
      if (!refused || !(error instanceof FairleadError)) throw error;
      throw new FairleadError(refused.code, `${refused.message} With the token it is no better: ${error.message}`, {
        cause: error,
      });
    });
  }
}

function understand(answer: unknown): RegisterReply {
  const reply = RegisterReply.safeParse(answer);
  if (reply.success) return reply.data;
  throw new FairleadError(
    "protocol-error",
    "The server's answer to the registration cannot be understood; update the older of the two.",
  );
}
