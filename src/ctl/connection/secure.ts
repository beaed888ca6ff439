/** TLS to the server: nothing is sent before it has proved who it is, by its pin or else by an authority and its name. */

import { createHash } from "node:crypto";
import type { ClientRequestArgs } from "node:http";
import type { TLSSocket } from "node:tls";
import { handOver, handshake } from "../../net/handshake.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Server, Stranger } from "./locate.ts";

/** For requests and WebSockets alike: what Node calls to get a connection. Errors are FairleadErrors, or the system's own. */
export function secureConnection(server: Server): NonNullable<ClientRequestArgs["createConnection"]> {
  return (_options, done) => {
    void handOver(connectSecurely(server), done);
    return undefined;
  };
}

async function connectSecurely(server: Server): Promise<TLSSocket> {
  for (;;) {
    const socket = await handshake(server.url);
    const stranger = { origin: server.url.origin, pin: pinOf(socket), why: String(socket.authorizationError) };
    if (server.pin ? server.pin.value === stranger.pin : socket.authorized) return socket;
    socket.destroy();
    if (server.pin) throw wrongPin(server.pin, stranger);
    if (!(await server.introduce?.(stranger))) throw unknown(stranger);
    // The answer was about one key: whoever shows another one now is refused.
    server.pin ??= { value: stranger.pin, from: "your answer" };
  }
}

export function pinOf(socket: TLSSocket): string {
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  if (!spki) throw new FairleadError("protocol-error", "The server showed no certificate.");
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}

function wrongPin({ value, from }: { value: string; from: string }, { origin, pin }: Stranger): FairleadError {
  return new FairleadError(
    "wrong-key",
    `${origin} is not the server that was pinned: its key has the pin ${pin}, and ${from} wants ${value}. Nothing was sent to it. ` +
      "If its key was changed on purpose, change the pin; else somebody is in between.",
  );
}

function unknown({ origin, pin, why }: Stranger): FairleadError {
  return new FairleadError(
    "untrusted",
    `The certificate of ${origin} is not trusted (${why}). If it printed this pin when it started, give it with --pin ${pin}; ` +
      "else name the certificate's authority in NODE_EXTRA_CA_CERTS.",
  );
}
