/** A desk behind a real server: an agent with a scripted runtime, whose line and sessions are the real ones. */

import { Relayed } from "../../src/agent/session/relayed.ts";
import { dialServer } from "../../src/agent/uplink/dial.ts";
import { Realtime } from "../../src/agent/uplink/realtime.ts";
import { GrantVerifier } from "../../src/auth/signed-grant.ts";
import { RegisterReply } from "../../src/protocol/fleet.ts";
import { type DeskOptions, startDesk } from "./desk.ts";
import { TestHost } from "./host.ts";
import { noPasses } from "./relay.ts";
import type { TestServer } from "./server.ts";
import { until } from "./until.ts";

/** Shorter than in earnest, in milliseconds. */
const RETRY = { first: 20, max: 100 };

/**
 * Adds a host of this name to the server; resolves once its line is up, which comes back from then on. The line may go by way
 * of another port.
 */
export async function joinDesk(
  server: TestServer,
  name: string,
  { port, ...options }: DeskOptions & { port?: number } = {},
) {
  const host = new TestHost(server.url);
  const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name });
  const { uid: agent, grantKey: key } = RegisterReply.parse((await host.bootstrap(token)).body);
  const desk = await startDesk(options);
  const relayed = new Relayed({
    sessions: desk.sessions,
    passes: noPasses(desk.sessions),
    verifier: new GrantVerifier(() => ({ agent, key })),
    serveHttp: (channel) => channel.close(4501, "no HTTP here"),
    carry: (_channel, socket) => void socket.destroy(),
  });
  const url = new URL(server.url);
  if (port !== undefined) url.port = String(port);
  let connected = false;
  const line = new Realtime({
    dial: dialServer({
      server: { url, pin: undefined },
      signer: () => ({ keyName: `${name}/${agent}/${host.key.id}`, key: host.key, epoch: host.epoch }),
    }),
    accept: (channel) => relayed.accept(channel),
    onState: (state) => {
      connected = state.connected;
    },
    budget: desk.budget,
    software: "test",
    retry: RETRY,
  });
  line.start();
  await until("the host's line", () => connected);
  const close = async () => {
    await line.close();
    await desk.close();
  };
  return { sessions: desk.sessions, isConnected: () => connected, close };
}
