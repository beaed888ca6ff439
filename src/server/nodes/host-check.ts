/** Knows an agent by its signature: which host, by which key, in which epoch. */

import type { IncomingMessage } from "node:http";
import type { Signatures } from "../../auth/signature.ts";
import type { HostIdentity } from "../../door/identity.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { REGISTER_PATH } from "../../protocol/fleet.ts";
import type { Nodes } from "./nodes.ts";
import type { NodeRecord } from "./record.ts";
import { unknown } from "./registration.ts";

export interface HostCheckParts {
  nodes: Nodes;
  signatures: Signatures;
}

/**
 * Throws `unauthenticated`, `clock-skew`, `replayed`, `unknown-node`, `revoked`, or `stale-epoch`: the host must register
 * again. The first use of an epoch or a key ends the time of the one before.
 */
export async function checkHost(
  request: IncomingMessage,
  { nodes, signatures }: HostCheckParts,
): Promise<HostIdentity> {
  const claim = signatures.claim(request.headers);
  if (!claim) throw new FairleadError("unauthenticated", "Only agents come in here, by their signature.");
  const [name = "", uid = "", key = ""] = claim.keyName.split("/");
  const record = await nodes.records.get(name);
  if (!record || record.uid !== uid || record.keys.length === 0) throw unknown(name);
  const publicKey = record.keys.find(({ id }) => id === key)?.publicKey;
  if (publicKey === undefined)
    throw new FairleadError(
      "revoked",
      `The key of the host ${name} was replaced. If nobody did that on purpose, remove the host and add it again.`,
    );
  const { method = "", url: target = "" } = request;
  try {
    signatures.verify({ method, target }, request.headers, publicKey);
  } catch (error) {
    if (error instanceof FairleadError && error.code === "clock-skew") nodes.live.warn(uid, error.code, error.message);
    throw error;
  }
  if (target !== REGISTER_PATH) await use(nodes, record, { epoch: claim.epoch, key });
  return { name, uid, epoch: claim.epoch, digest: claim.digest, revoked: nodes.live.revoked(uid) };
}

async function use(nodes: Nodes, record: NodeRecord, { epoch, key }: { epoch: number; key: string }): Promise<void> {
  if (epoch !== record.epoch) throw new FairleadError("stale-epoch", "The host has to register again.");
  const newest = record.keys.at(-1)?.id === key;
  if (record.used === epoch && (!newest || record.keys.length === 1)) return;
  await nodes.records.update(record.name, (before) => {
    if (before.uid !== record.uid || before.epoch !== epoch) return undefined;
    return { ...before, used: epoch, keys: newest ? before.keys.slice(-1) : before.keys };
  });
}
