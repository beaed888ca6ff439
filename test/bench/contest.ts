/** The two usual contests: the same work through two forwards, and the same words to two programs. */

import type { Cli } from "./command.ts";
import type { Contest } from "./figure.ts";
import { freePort } from "../support/free-port.ts";
import { type Stage, WEB } from "./stage.ts";

/** Ours is `ctl`, or `ctl` and an agent with TLS, as on another machine, or what Node can do at best, without and with TLS. */
export type Ours = "ctl" | "secure" | "bare" | "bare-secure";

/** What both sides do: `sample` is given the local port. */
interface Forwarded {
  /** Of the container. */
  remote: number;
  ours?: Ours;
  sample: (port: number) => Promise<number>;
}

/** Both sides forward a local port for the whole contest. */
export async function betweenForwards(stage: Stage, { remote, ours: who, sample }: Forwarded): Promise<Contest> {
  const address = await stage.web();
  const [forward, sshd] = await Promise.all([forwarder(stage, who), stage.sshd()]);
  await using stack = new AsyncDisposableStack();
  const open = async (forward: Forward) => {
    const local = await freePort();
    stack.use(await forward(new Map([[local, remote]])));
    return async () => [await sample(local)];
  };
  const ours = await open(forward);
  const peer = await open((ports) => sshd.forward(address, ports));
  const owned = stack.move();
  return { ours, peer, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Forward = (ports: ReadonlyMap<number, number>) => Promise<AsyncDisposable>;

async function forwarder(stage: Stage, who: Ours = "ctl"): Promise<Forward> {
  if (who === "bare" || who === "bare-secure") {
    const bare = await stage.bare();
    return (ports) => bare.forward(ports, { secure: who === "bare-secure" });
  }
  const ctl = await (who === "secure" ? stage.secureCtl() : stage.ctl());
  return (ports) => ctl.forward(WEB, ports);
}

/** `sample` does the same with either program on the container {@link WEB}. */
export async function betweenPrograms(
  stage: Stage,
  sample: (cli: Cli) => Promise<number>,
  who: "ctl" | "bare" = "ctl",
): Promise<Contest> {
  await stage.web();
  const [cli, docker] = await Promise.all([who === "bare" ? stage.bare() : stage.ctl(), stage.docker()]);
  return {
    ours: async () => [await sample(cli)],
    peer: async () => [await sample(docker)],
    [Symbol.asyncDispose]: async () => {},
  };
}
