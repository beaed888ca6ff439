/** TLS to the server: nothing is sent before it has proved who it is, by its pin or else by an authority and its name. */

import { createHash } from "node:crypto";
import type { ClientRequestArgs } from "node:http";
import { isIP } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { FairleadError } from "../../protocol/errors.ts";
import { tls } from "../late.ts";
import type { Server, Stranger } from "./locate.ts";

/** Milliseconds for connecting and the handshake together. */
const HANDSHAKE_MS = 10_000;
const HTTPS_PORT = 443;

/** For requests and WebSockets alike: what Node calls to get a connection. Errors are FairleadErrors, or the system's own. */
export function secureConnection(server: Server): NonNullable<ClientRequestArgs["createConnection"]> {
  return (_options, done) => {
    void handOver(server, done);
    return undefined;
  };
}

async function handOver(server: Server, done: (error: Error | null, socket: TLSSocket) => void): Promise<void> {
  let socket: TLSSocket;
  try {
    socket = await connectSecurely(server);
  } catch (error) {
    return done(error as Error, undefined as never);
  }
  done(null, socket);
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

/** Whether to go on is decided by the caller, who knows more than the certificate's signature: Node itself accepts any. */
export function handshake({ hostname, port }: URL, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const name = isIP(host) === 0 ? { servername: host } : {};
  return new Promise((resolve, reject) => {
    const socket = tls().connect({
      host,
      port: port ? Number(port) : HTTPS_PORT,
      ...name,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      rejectUnauthorized: false,
      ...options,
    });
    const late = () => socket.destroy(new Error(`no TLS connection within ${HANDSHAKE_MS / 1_000} s`));
    const timer = setTimeout(late, HANDSHAKE_MS);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    // It stays: the connection may break before anybody else listens.
    socket.on("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("it closed the connection during the TLS handshake"));
    });
  });
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
