/** A reverse proxy that has a server below a path, and passes on what is left of the address. */

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createProxyServer } from "http-proxy";

export interface PathProxy {
  port: number;
  /** What was asked for beside the path: another tool's, which this proxy does not have. */
  strays: string[];
  close(): void;
}

export async function startPathProxy({ path, target }: { path: string; target: string }): Promise<PathProxy> {
  const strays: string[] = [];
  const passing = createProxyServer({ target, ws: true });
  const known = (request: IncomingMessage): boolean => {
    const { url = "" } = request;
    if (!url.startsWith(`${path}/`)) strays.push(url);
    request.url = url.slice(path.length);
    return url.startsWith(`${path}/`);
  };
  const proxy = createServer((request, response) => {
    // Whoever goes away ends what it had open.
    if (known(request)) passing.web(request, response).catch(() => response.destroy());
    else response.writeHead(404).end();
  });
  proxy.on("upgrade", (request, socket, head) => {
    if (known(request)) passing.ws(request, socket as Socket, {}, head).catch(() => socket.destroy());
    else socket.destroy();
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  return { port: (proxy.address() as AddressInfo).port, strays, close: () => void proxy.close() };
}
