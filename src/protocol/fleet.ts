/** What an agent and its server say to each other over HTTP. `docs/fleet.md` has the rules. */

import * as z from "zod/mini";
import { NodeFacts, NodeSettings } from "./node.ts";

export const BOOTSTRAP_PATH = "/api/v1/agent/bootstrap";
export const REGISTER_PATH = "/api/v1/agent/register";
export const BEAT_PATH = "/api/v1/agent/heartbeat";
export const KEY_PATH = "/api/v1/agent/key";
export const SERVER_PATH = "/api/v1/agent/server";

/** An Ed25519 public key: its 32 bytes in base64url. */
export const PublicKey = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/));

/** Of {@link keyProof}, in base64url. */
const Proof = z.string().check(z.regex(/^[A-Za-z0-9_-]{86}$/));

/** Before the one-time token in the Authorization header of a bootstrap. */
export const BOOTSTRAP_SCHEME = "Bootstrap";

/** Once: the one-time token for a key that was made on the host. `proof` is over the token and the key. */
export const BootstrapRequest = z.strictObject({
  publicKey: PublicKey,
  proof: Proof,
  facts: NodeFacts,
});
export type BootstrapRequest = z.infer<typeof BootstrapRequest>;

/** At each start, and whenever the server asks for it. */
export const RegisterRequest = z.strictObject({ facts: NodeFacts });

/** The epoch rises with each registration; whoever comes with an older one is a copy of the host that registered since. */
export const RegisterReply = z.object({
  name: z.string(),
  uid: z.string(),
  epoch: z.int(),
  settings: NodeSettings,
  /** By which the agent knows the server's word for a session ([protocol.md](protocol.md), 8). */
  grantKey: PublicKey,
});
export type RegisterReply = z.infer<typeof RegisterReply>;

export const BeatReply = z.object({
  settings: NodeSettings,
  /** The host is to make itself a new key now. */
  rotate: z.boolean(),
});
export type BeatReply = z.infer<typeof BeatReply>;

/** A new key beside the old one, which is good until the new one is used. `proof` is over the host's uid and the key, by the new one. */
export const KeyRequest = z.strictObject({ publicKey: PublicKey, proof: Proof });
export type KeyRequest = z.infer<typeof KeyRequest>;

/** What an agent asks of a server that comes with another certificate than before. */
export const ServerQuery = z.strictObject({ nonce: z.string().check(z.regex(/^[A-Za-z0-9_-]{22}$/)) });

/** `proof` is of {@link serverProof}, by the key that signs the grants. */
export const ServerReply = z.object({ pin: z.string(), proof: Proof });
export type ServerReply = z.infer<typeof ServerReply>;

/** What a server signs for an agent: the certificate with this pin is its own. */
export function serverProof(nonce: string, pin: string): string {
  return `fairlead server ${nonce} ${pin}`;
}

/** What the holder of a new key signs: it is his, and he wants it for this token or this host. */
export function keyProof(purpose: string, publicKey: string): string {
  return `fairlead key ${purpose} ${publicKey}`;
}

/** What is run on a host to make it one of the fleet. */
export function joinCommand({ server, node, token }: { server: string; node: string; token: string }): string {
  return `fairlead agent -S ${server} --node-name ${node} --token ${token}`;
}
