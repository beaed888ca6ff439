/** A host's network: a namespace with one cable to this machine, at whose far end a firewall lets in what the test wants. */

import { execFileSync } from "node:child_process";

export interface Network {
  /** Of the namespace. */
  name: string;
  /** This machine's end of the cable, and the host's. */
  here: string;
  there: string;
  /** What to put before a command that is to run there. */
  inside: readonly [string, ...string[]];
  /** Runs a command there and gives what it printed. */
  run(...command: string[]): string;
  /**
   * What becomes of connections from this machine: `let-in`; `swallow`ed without a word; or `reset`, also those that are open.
   * Answers to what the host itself has sent come in any case.
   */
  firewall(rule: "let-in" | "swallow" | "reset"): void;
  remove(): void;
}

/** One for each process: what an earlier one left behind, or another one has, is not in its way. */
export function makeNetwork(prefix: string): Network {
  const ip = (...args: string[]) => execFileSync("ip", args);
  const name = `${prefix}${process.pid}`;
  const subnet = `10.${208 + ((process.pid >> 8) % 8)}.${process.pid % 256}`;
  const [here, there] = [`${subnet}.1`, `${subnet}.2`];
  const inside = ["ip", "netns", "exec", name] as const;
  const [file, ...before] = inside;
  const run = (...command: string[]) => execFileSync(file, [...before, ...command]).toString();
  ip("netns", "add", name);
  ip("link", "add", `${name}a`, "type", "veth", "peer", "name", `${name}b`, "netns", name);
  ip("address", "add", `${here}/30`, "dev", `${name}a`);
  ip("link", "set", `${name}a`, "up");
  run("ip", "address", "add", `${there}/30`, "dev", `${name}b`);
  run("ip", "link", "set", `${name}b`, "up");
  run("ip", "link", "set", "lo", "up");
  const firewall: Network["firewall"] = (rule) => {
    const allow = (...what: string[]) => run("iptables", "-A", "INPUT", ...what, "-j", "ACCEPT");
    run("iptables", "-F", "INPUT");
    allow("-i", "lo");
    if (rule === "let-in") return void run("iptables", "-P", "INPUT", "ACCEPT");
    run("iptables", "-P", "INPUT", "DROP");
    // Whoever has begun it, by the direction in which its first packet went.
    allow("-m", "conntrack", "--ctstate", "ESTABLISHED", "--ctdir", "REPLY");
    if (rule === "reset") run("iptables", "-A", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset");
  };
  return { name, here, there, inside, run, firewall, remove: () => void ip("netns", "delete", name) };
}
