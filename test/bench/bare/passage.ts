/** Passes TCP connections on, and does nothing else. Arguments: the local port, then whither: host, port. Says "ready". */

import { connect, createServer } from "node:net";

const [local = "", host = "", port = ""] = process.argv.slice(2);
const options = { allowHalfOpen: true, noDelay: true };

const server = createServer(options, (near) => {
  const far = connect({ ...options, host, port: Number(port) });
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
  near.pipe(far).pipe(near);
});
server.listen(Number(local), "127.0.0.1", () => process.stdout.write("ready\n"));
