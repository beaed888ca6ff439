/** Whether a server that comes with another certificate is still the same one: it proves that by the key that signs its grants. */

import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { TLSSocket } from "node:tls";
import { isSignedBy } from "../../auth/keys.ts";
import { SERVER_PATH, ServerReply, serverProof } from "../../protocol/fleet.ts";

/** For the whole answer, in milliseconds. */
const ANSWER_MS = 10_000;
/** Longest answer that is read, in bytes. */
const MAX_ANSWER = 4_096;
const NONCE_BYTES = 16;

export interface Succession {
  url: URL;
  /** The pin of the certificate at the other end of the connection. */
  found: string;
  /** The server's public key: 32 bytes in base64url. */
  key: string;
  /** Ends the asking. */
  signal: AbortSignal;
}

/**
 * Asks on this connection, which is of no use afterwards, and tells nothing of this host. Whoever merely passes the question
 * on to the server gets a proof for the server's certificate, not for his own. Never rejects.
 */
export async function isStillItself(socket: TLSSocket, { url, found, key, signal }: Succession): Promise<boolean> {
  const nonce = randomBytes(NONCE_BYTES).toString("base64url");
  try {
    const reply = ServerReply.parse(JSON.parse(await ask(socket, { url, signal }, nonce)));
    return reply.pin === found && isSignedBy(key, serverProof(nonce, found), reply.proof);
  } catch {
    return false;
  }
}

function ask(socket: TLSSocket, { url, signal }: Pick<Succession, "url" | "signal">, nonce: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      path: `${url.pathname.replace(/\/$/, "")}${SERVER_PATH}?nonce=${nonce}`,
      headers: { host: url.host },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    asked.once("error", reject);
    asked.once("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8").once("error", reject);
      answer.once("end", () => resolve(text));
      answer.on("data", (piece: string) => {
        text += piece;
        if (text.length > MAX_ANSWER) asked.destroy(new Error("the answer is too long"));
      });
    });
    asked.end();
  });
}
