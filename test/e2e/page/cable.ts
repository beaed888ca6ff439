/** The cable between browser and agent: a TCP relay that a test can cut and mend, and put into another socket. */

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { reset } from "../../../src/net/reset.ts";

export interface Cable {
  /** What the browser is given instead of the agent's own address. */
  url: string;
  /** Tears every connection and lets no new one through. */
  cut(): void;
  /** From now on to this agent. */
  mend(agent: { url: string }): void;
  close(): void;
}

export async function layCable(agent: { url: string }): Promise<Cable> {
  let port: number | undefined = portOf(agent);
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    if (port === undefined) return reset(near);
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay listens on no port");
  const cut = () => {
    port = undefined;
    for (const socket of open) reset(socket);
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    mend: (next) => {
      port = portOf(next);
    },
    close: () => {
      cut();
      server.close();
    },
  };
}

function portOf({ url }: { url: string }): number {
  return Number(new URL(url).port);
}
