/** Connections to the server: nothing is sent before it has proved who it is, by its pin or else by an authority and its name. */

import { Agent as PlainAgent, type ClientRequestArgs } from "node:http";
import type { TLSSocket } from "node:tls";
import { pinOf } from "../../auth/pin.ts";
import { handOver, handshake } from "../../net/handshake.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { isStillItself } from "./succession.ts";

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
  readonly #life = new AbortController();

  constructor(server: ServerAddress) {
    super({ keepAlive: true, maxSockets: MAX_SOCKETS });
    this.#server = server;
  }

  override createConnection(...[options, done]: Parameters<NonNullable<ClientRequestArgs["createConnection"]>>) {
    if (this.#server.url.protocol === "http:") return super.createConnection(options, done);
    void handOver(connectSecurely(this.#server, this.#life.signal), done);
    return undefined;
  }

  /** Whoever waits for a connection gets none. */
  override destroy(): void {
    this.#life.abort();
    super.destroy();
  }
}

/** Rejects with `wrong-key` or `untrusted` for a server that is not the one, before anything of this host is sent to it. */
export async function connectSecurely(server: ServerAddress, signal: AbortSignal): Promise<TLSSocket> {
  const { url, pin, key, adopt } = server;
  const socket = await handshake(url, { signal });
  const certificate = socket.getPeerX509Certificate();
  const found = certificate && pinOf(certificate);
  if (pin === undefined ? socket.authorized : found === pin) return socket;
  if (pin === undefined) throw untrusted(url, socket);
  const proved = found !== undefined && key !== undefined && (await isStillItself(socket, { url, found, key, signal }));
  socket.destroy();
  if (!proved || !adopt) throw stranger(url, `its key has the pin ${found}, not ${pin}`);
  await adopt(found);
  return connectSecurely(server, signal);
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
