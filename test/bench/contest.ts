/** The two usual contests: the same work through two forwards, and the same words to two programs. */

import type { Cli, Running } from "./command.ts";
import type { Contest } from "./figure.ts";
import { freePort } from "../support/free-port.ts";
import { type Stage, WEB } from "./stage.ts";

/** What both sides do: `sample` is given the local port. */
interface Forwarded {
  /** Of the container. */
  remote: number;
  /** Ours goes to an agent with TLS, as to another machine's. */
  secure?: boolean;
  sample: (port: number) => Promise<number>;
}

/** Both sides forward a local port for the whole contest. */
export async function betweenForwards(stage: Stage, { remote, secure = false, sample }: Forwarded): Promise<Contest> {
  const address = await stage.web();
  const [ctl, sshd] = await Promise.all([secure ? stage.secureCtl() : stage.ctl(), stage.sshd()]);
  await using stack = new AsyncDisposableStack();
  const open = async (forward: (ports: ReadonlyMap<number, number>) => Promise<Running>) => {
    const local = await freePort();
    stack.use(await forward(new Map([[local, remote]])));
    return async () => [await sample(local)];
  };
  const ours = await open((ports) => ctl.forward(WEB, ports));
  const peer = await open((ports) => sshd.forward(address, ports));
  const owned = stack.move();
  return { ours, peer, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** `sample` does the same with either program on the container {@link WEB}. */
export async function betweenPrograms(stage: Stage, sample: (cli: Cli) => Promise<number>): Promise<Contest> {
  await stage.web();
  const [ctl, docker] = await Promise.all([stage.ctl(), stage.docker()]);
  return {
    ours: async () => [await sample(ctl)],
    peer: async () => [await sample(docker)],
    [Symbol.asyncDispose]: async () => {},
  };
}
