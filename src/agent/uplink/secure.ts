/** Connections to the server: nothing is sent before it has proved who it is, by its pin or else by an authority and its name. */

import { Agent as PlainAgent, type ClientRequestArgs } from "node:http";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { pinOf } from "../../auth/pin.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { isStillItself } from "./succession.ts";

/** Milliseconds for connecting and the handshake together. */
const HANDSHAKE_MS = 10_000;
const HTTPS_PORT = 443;
/** Connections to the server at a time; one is the rule. */
const MAX_SOCKETS = 4;

/** Its members are read at each connection. */
export interface ServerAddress {
  readonly url: URL;
  /** Absent: an authority has to vouch for the server. */
  readonly pin: string | undefined;
  /** By which the server proves that another certificate is its own too; absent: there is no other. */
  readonly key?: string | undefined;
  /** From now on the server has the certificate with this pin. */
  readonly adopt?: (pin: string) => Promise<void>;
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

/** Rejects with `wrong-key` or `untrusted` for a server that is not the one, before anything of this host is sent to it. */
export async function connectSecurely(server: ServerAddress): Promise<TLSSocket> {
  const { url, pin, key, adopt } = server;
  const socket = await handshake(url);
  const certificate = socket.getPeerX509Certificate();
  const found = certificate && pinOf(certificate);
  if (pin === undefined ? socket.authorized : found === pin) return socket;
  if (pin === undefined) throw untrusted(url, socket);
  const proved = found !== undefined && key !== undefined && (await isStillItself(socket, { url, found, key }));
  socket.destroy();
  if (!proved || !adopt) throw stranger(url, `its key has the pin ${found}, not ${pin}`);
  await adopt(found);
  return connectSecurely(server);
}

function untrusted({ origin }: URL, socket: TLSSocket): FairleadError {
  const why = String(socket.authorizationError);
  socket.destroy();
  return new FairleadError(
    "untrusted",
    `The certificate of ${origin} is not trusted (${why}), and there is no pin for it. Register with a new token (ctl nodes add), which carries the pin, or name the certificate's authority in NODE_EXTRA_CA_CERTS.`,
  );
}

function stranger({ origin }: URL, why: string): FairleadError {
  return new FairleadError(
    "wrong-key",
    `${origin} is not the server that this host registered with: ${why}, and it does not prove that it is the same. Nothing of this host was told to it. If the server was set up anew, register again with a new token (ctl nodes add); else somebody is in between.`,
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
