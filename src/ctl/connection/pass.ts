/** Asks the server for the way to an agent past it: a pass for a key that only this process has, and where to show it. */

import { generateKeyPairSync, sign } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { DirectDoor } from "../../protocol/node.ts";
import { BINDING, PASS_SCHEME, PassReply, passProof } from "../../protocol/pass.ts";
import { callJson } from "./http.ts";
import type { Server } from "./locate.ts";

/** How long the server may take to answer, in milliseconds. */
const ANSWER_MS = 5_000;

/** A pass that was given. */
interface Pass extends DirectDoor {
  /** The Authorization header for this connection, and for no other. */
  shownOn(wire: TLSSocket): string;
}

/** Made anew for each: a key that is not kept cannot be stolen. Gives why there is no direct way; rejects with a FairleadError. */
export async function askForPass(server: Server, node: string): Promise<Pass | { why: string }> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x: key } = publicKey.export({ format: "jwk" });
  const path = `/api/v1/nodes/${encodeURIComponent(node)}/pass`;
  const reply = PassReply.parse(await callJson(server, { method: "POST", path, body: { key }, patience: ANSWER_MS }));
  if (!("pass" in reply)) return reply;
  const { pass, addresses, pin } = reply;
  return {
    addresses,
    pin,
    shownOn(wire) {
      const binding = wire.exportKeyingMaterial(BINDING.bytes, BINDING.label, Buffer.alloc(0)).toString("base64url");
      const proof = sign(null, Buffer.from(passProof(pass, binding)), privateKey).toString("base64url");
      return `${PASS_SCHEME} ${pass}.${proof}`;
    },
  };
}
