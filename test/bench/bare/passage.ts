/**
 * Passes TCP connections on, and does nothing else. Arguments: the local port, then whither: host, port; then, if there is to
 * be TLS between two of these, which one this is: `near` or `far`, which has certificate and key from the environment.
 * Says "ready".
 */

import { connect, createServer, type Socket } from "node:net";
import { connect as connectSecurely, createServer as createSecureServer } from "node:tls";

const [local = "", host = "", port = "", end] = process.argv.slice(2);
const { BARE_CERT: cert, BARE_KEY: key } = process.env;
const options = { allowHalfOpen: true, noDelay: true };
const there = { host, port: Number(port), ...options };

function pass(near: Socket): void {
  const far = end === "near" ? connectSecurely({ ...there, rejectUnauthorized: false }) : connect(there);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
  near.pipe(far).pipe(near);
}

const server = end === "far" ? createSecureServer({ ...options, cert, key }, pass) : createServer(options, pass);
server.listen(Number(local), "127.0.0.1", () => process.stdout.write("ready\n"));
