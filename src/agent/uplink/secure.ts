/** Connections to the server: nothing is sent before it has proved who it is, by its pin or else by an authority and its name. */

import { Agent as PlainAgent, type ClientRequestArgs } from "node:http";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { pinOf } from "../../auth/pin.ts";
import { FairleadError } from "../../protocol/errors.ts";

/** Milliseconds for connecting and the handshake together. */
const HANDSHAKE_MS = 10_000;
const HTTPS_PORT = 443;
/** Connections to the server at a time; one is the rule. */
const MAX_SOCKETS = 4;

/** `pin` absent: an authority has to vouch for the server. Read at each connection. */
export interface ServerAddress {
  readonly url: URL;
  readonly pin: string | undefined;
}

/** Keeps connections open between requests: the server need not begin anew with each report. */
export class ServerAgent extends PlainAgent {
  readonly #server: ServerAddress;

  constructor(server: ServerAddress) {
    super({ keepAlive: true, maxSockets: MAX_SOCKETS });
    this.#server = server;
  }

  override createConnection(...[options, done]: Parameters<NonNullable<ClientRequestArgs["createConnection"]>>) {
    if (this.#server.url.protocol === "http:") return super.createConnection(options, done);
    void handOver(this.#server, done);
    return undefined;
  }
}

async function handOver(server: ServerAddress, done: (error: Error | null, socket: TLSSocket) => void): Promise<void> {
  let socket: TLSSocket;
  try {
    socket = await connectSecurely(server);
  } catch (error) {
    return done(error as Error, undefined as never);
  }
  done(null, socket);
}

/** Rejects with `wrong-key` or `untrusted` for a server that is not the one, before the first byte is sent to it. */
export async function connectSecurely({ url, pin }: ServerAddress): Promise<TLSSocket> {
  const socket = await handshake(url);
  const certificate = socket.getPeerX509Certificate();
  const found = certificate && pinOf(certificate);
  if (pin === undefined ? socket.authorized : found === pin) return socket;
  const why = String(socket.authorizationError);
  socket.destroy();
  throw new FairleadError(
    pin === undefined ? "untrusted" : "wrong-key",
    pin === undefined
      ? `The certificate of ${url.origin} is not trusted (${why}), and there is no pin for it. Register with a new token (ctl nodes add), which carries the pin, or name the certificate's authority in NODE_EXTRA_CA_CERTS.`
      : `${url.origin} is not the server that this host registered with: its key has the pin ${found}, not ${pin}. Nothing was sent to it. If its key was changed on purpose, register again with a new token (ctl nodes add); else somebody is in between.`,
  );
}

/** Whether to go on is decided by the caller, who knows more than the certificate's signature. */
function handshake({ hostname, port }: URL): Promise<TLSSocket> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const name = isIP(host) === 0 ? { servername: host } : {};
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: port ? Number(port) : HTTPS_PORT,
      ...name,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      rejectUnauthorized: false,
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
