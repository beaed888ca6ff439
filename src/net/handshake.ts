/** TLS to a server that is judged once the handshake is over: by its pin, or else by an authority and its name. */

import { isIP } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";

/** Milliseconds for connecting and the handshake together. */
const HANDSHAKE_MS = 10_000;
const HTTPS_PORT = 443;

export interface HandshakeOptions extends ConnectionOptions {
  /** Ends the handshake; of no consequence after it. */
  signal?: AbortSignal;
}

/** Whether to go on is decided by the caller, who knows more than the certificate's signature: Node itself accepts any. */
export function handshake({ hostname, port }: URL, { signal, ...options }: HandshakeOptions = {}): Promise<TLSSocket> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const name = isIP(host) === 0 ? { servername: host } : {};
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const socket = connect({
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
    const abort = () => socket.destroy(signal?.reason as Error);
    signal?.addEventListener("abort", abort, { once: true });
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    socket.once("secureConnect", () => {
      over();
      resolve(socket);
    });
    // It stays: the connection may break before anybody else listens.
    socket.on("error", reject);
    socket.once("close", () => {
      over();
      reject(new Error("it closed the connection during the TLS handshake"));
    });
  });
}

/** To whoever asked Node for a connection. */
export async function handOver(
  connecting: Promise<TLSSocket>,
  done: (error: Error | null, socket: TLSSocket) => void,
): Promise<void> {
  let socket: TLSSocket;
  try {
    socket = await connecting;
  } catch (error) {
    return done(error as Error, undefined as never);
  }
  done(null, socket);
}
