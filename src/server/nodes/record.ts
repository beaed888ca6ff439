/** What the storage holds of a host. */

import * as z from "zod/mini";
import { NodeFacts, NodeSettings } from "../../protocol/node.ts";

const Key = z.object({
  id: z.string(),
  publicKey: z.string(),
  since: z.number(),
});

export const NodeRecord = z.object({
  name: z.string(),
  /** Another one each time a host of that name is added. */
  uid: z.string(),
  created: z.number(),
  /** What differs from the server's own settings. */
  settings: z.partial(NodeSettings),
  /** None before its agent has come; two while the newer one was not used yet. The older comes first. */
  keys: z.array(Key),
  /** Of the last registration. */
  epoch: z.int(),
  /** The newest epoch with which the agent has called: answers that told of later ones may have been lost. */
  used: z.int(),
  /** A new key was asked for. */
  rotate: z.boolean(),
  /** Whether it was Ready when that last changed. */
  ready: z.boolean(),
  registered: z.optional(z.number()),
  /** When it had last reported, as it became NotReady. */
  lastSeen: z.optional(z.number()),
  facts: z.optional(NodeFacts),
  address: z.optional(z.string()),
});
export type NodeRecord = z.infer<typeof NodeRecord>;

/** A one-time token, by its digest. Strict: without its `usedBy` it would be good again. */
export const BootstrapRecord = z.strictObject({
  node: z.string(),
  uid: z.string(),
  expires: z.number(),
  /** The public key that it was exchanged for. */
  usedBy: z.optional(z.string()),
});
export type BootstrapRecord = z.infer<typeof BootstrapRecord>;
