/** The machine that this program runs on, for whoever may work on it as one of its users. */

import { constants, readFileSync } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, resolve } from "node:path";
import { env, geteuid } from "node:process";
import { type Host, type Process, RuntimeError, type ShellSpec, type Size } from "../runtime.ts";
import { type Account, findAccount, ownAccount } from "./account.ts";
import { startChild } from "./child.ts";
import { HostProcess } from "./host-process.ts";
import type { Start } from "./keeper-message.ts";

export interface HostOptions {
  /** Whether anybody gets a shell at all. */
  shell: boolean;
  /** The account it belongs to; empty: that of this program. */
  user: string;
}

/** What a login has before the user's own files. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** All of this program's environment that goes on: the rest may hold secrets. */
const LOCALE = ["LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ"];
const TERM = "xterm-256color";
const SIZE: Size = { cols: 80, rows: 24 };
/** Engines and kubelets lay files of their own over these. */
const OWN_FILES = /\/(?:containers|pods)\/[0-9a-f-]{32,}\/\S+ \/etc\/host(?:s|name) /;

/** Becomes another user, who then owns the terminal too: programs open it by its name again. */
const BECOME = `uid=$1 gid=$2; shift 2; if tty >/dev/null; then chown "$uid" "$(tty)"; fi
exec setpriv --reuid="$uid" --regid="$gid" --init-groups -- "$@"`;

const OFF = "This agent gives no shell on its host. Whoever owns the host can allow it with host_shell: true.";
const CONTAINED =
  "This agent runs in a container, and its shell would be the container's own. Run the agent on the host itself for a host shell, or use ctl exec for a container.";

/** Rejects with `unsupported` when the account does not exist or may not be used. */
export async function openHost({ shell, user }: HostOptions): Promise<Host> {
  const own = ownAccount();
  if (!shell) return { user: own.name, shell: () => Promise.reject(new RuntimeError("unsupported", OFF)) };
  const account = user === "" || user === own.name ? own : await findAccount(user);
  if (account.uid !== own.uid && geteuid?.() !== 0)
    throw new RuntimeError(
      "unsupported",
      `Host_shell_user is "${user}", and this agent runs as "${own.name}". Only root can give a shell to another user.`,
    );
  return new MachineHost(account, account.uid === own.uid ? "own" : "other");
}

class MachineHost implements Host {
  readonly user: string;
  readonly #account: Account;
  readonly #other: boolean;

  /** `own`: the account is that of this program. */
  constructor(account: Account, whose: "own" | "other") {
    this.user = account.name;
    this.#account = account;
    this.#other = whose === "other";
  }

  async shell(spec: ShellSpec, signal: AbortSignal): Promise<Process> {
    signal.throwIfAborted();
    if (inContainer()) throw new RuntimeError("unsupported", CONTAINED);
    const { term = TERM, size = SIZE } = spec;
    const start = await this.#start(spec);
    const child = await startChild({ ...start, ...(spec.tty && { terminal: { term, size } }) }, spec.stdin);
    const process = new HostProcess(child);
    if (!signal.aborted) return process;
    await process.close();
    throw signal.reason;
  }

  async #start({ command }: ShellSpec): Promise<Start> {
    const { name, uid, gid, home, shell } = this.#account;
    const [file = shell, ...args] = command.length > 0 ? command : [shell, "-l"];
    await checkCommand(file, home);
    const env = { ...locale(), HOME: home, USER: name, LOGNAME: name, SHELL: shell, PATH };
    if (!this.#other) return { argv: [file, ...args], env, cwd: home };
    return { argv: ["sh", "-c", BECOME, "sh", String(uid), String(gid), file, ...args], env, cwd: home };
  }
}

function locale(): Record<string, string> {
  return Object.fromEntries(LOCALE.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Throws as an exec in a container is refused. Whether the account may execute it shows when it does. */
async function checkCommand(file: string, home: string): Promise<void> {
  const places = file.includes("/") ? [resolve(home, file)] : PATH.split(delimiter).map((each) => `${each}/${file}`);
  const found = await Promise.all(places.map(inspectCommand));
  if (found.includes("executable")) return;
  if (found.includes("plain"))
    throw new RuntimeError("command-not-executable", `"${file}" cannot be executed on this host.`);
  throw new RuntimeError("command-not-found", `This host has no command "${file}".`);
}

async function inspectCommand(path: string): Promise<"absent" | "plain" | "executable"> {
  try {
    if (!(await stat(path)).isFile()) return "plain";
  } catch {
    return "absent";
  }
  return access(path, constants.X_OK).then(
    () => "executable",
    () => "plain",
  );
}

/** Asked each time: cheap, and true of the moment. */
function inContainer(): boolean {
  try {
    return OWN_FILES.test(readFileSync("/proc/self/mountinfo", "utf8"));
  } catch {
    return false;
  }
}
