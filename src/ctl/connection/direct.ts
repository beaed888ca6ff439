/** Dials the agent of a node itself, where that works within a moment, and the server's relay where it does not. */

import type { Dial, Transport } from "../../client/client.ts";
import { Secret } from "../../lib/secret.ts";
import { dialler } from "./dial.ts";
import type { Server } from "./locate.ts";
import { askForPass } from "./pass.ts";
import { reach, WrongPin } from "./reach.ts";
import { Standby } from "./standby.ts";

/** When the relay is dialled too, in milliseconds: a direct way is mostly there sooner, and one that is not costs little more. */
const HEAD_START_MS = 150;
/** For the upgrade, in milliseconds. */
const ENTER_MS = 5_000;
/** A way that did not work is not tried again for so long, in milliseconds. */
const AVOID_MS = 60_000;

interface WayParts {
  server: Server;
  node: string;
  /** Hears which way was taken. */
  explain: (words: () => string) => void;
  /** Hears once that somebody answers in the agent's place. */
  alarm: (words: string) => void;
}

interface Direct {
  transport: Transport;
  address: string;
}

/** Remembers, for all its calls, what did not work. */
export function nodeDialler({ server, node, explain, alarm }: WayParts): Dial {
  let avoided = { until: 0, why: "" };
  let alarmed = false;
  const fail = (error: unknown) => {
    avoided = { until: performance.now() + AVOID_MS, why: wordsOf(error) };
    if (alarmed || !(error instanceof WrongPin)) return;
    alarmed = true;
    alarm(
      `${avoided.why}. Nothing was sent to it; going through the server. If that is another machine of yours, say --no-direct.`,
    );
  };
  return async (signal) => {
    const relay = new Standby(dialler(server), signal);
    if (performance.now() >= avoided.until) {
      relay.dialIn(HEAD_START_MS);
      try {
        const { transport, address } = await dialDirectly({ server, node, signal });
        relay.leave();
        explain(() => `${node}: directly, ${address}`);
        return transport;
      } catch (error) {
        fail(error);
      }
    }
    explain(() => `${node}: through the server, because ${avoided.why}`);
    return relay.take();
  };
}

/** Rejects with why there is no direct way, to go after a "because". */
async function dialDirectly({
  server,
  node,
  signal,
}: Pick<WayParts, "server" | "node"> & { signal: AbortSignal }): Promise<Direct> {
  const pass = await askForPass(server, node).catch((cause: unknown) => {
    throw new Error(`the server gives no pass (${wordsOf(cause)})`, { cause });
  });
  if ("why" in pass) throw new Error(pass.why);
  const { address, wire } = await reach(pass, signal);
  const agent = { url: new URL(`https://${address}`), urlFrom: `the agent of ${node}`, tokenFrom: "" };
  const enter = dialler({ ...agent, token: new Secret("") }, { authorization: pass.shownOn(wire), wire });
  try {
    return { transport: await enter(AbortSignal.any([signal, AbortSignal.timeout(ENTER_MS)])), address };
  } catch (cause) {
    wire.destroy();
    throw new Error(`${address} refuses (${wordsOf(cause)})`, { cause });
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
