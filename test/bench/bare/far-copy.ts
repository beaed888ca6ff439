/**
 * Passes the archive on each connection to the engine, which unpacks it, and says the engine's status. The first line says
 * where, as JSON: `{ container }`. Arguments: the local port, the engine's socket. Says "ready".
 */

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createServer, type Socket } from "node:net";

const [local = "", socketPath = ""] = process.argv.slice(2);

async function serve(near: Socket): Promise<void> {
  const [first] = (await once(near, "data")) as [Buffer];
  near.pause();
  const end = first.indexOf("\n");
  near.unshift(first.subarray(end + 1));
  const { container } = JSON.parse(first.toString("utf8", 0, end)) as { container: string };
  const engine = request({ socketPath, method: "PUT", path: `/containers/${container}/archive?path=/` });
  near.pipe(engine);
  const [answer] = (await once(engine, "response")) as [IncomingMessage];
  near.end(String(answer.statusCode));
}

const server = createServer(
  { allowHalfOpen: true, noDelay: true },
  (near) => void serve(near).catch(() => near.destroy()),
);
server.listen(Number(local), "127.0.0.1", () => process.stdout.write("ready\n"));
