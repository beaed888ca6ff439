/** Whose shell it is: an account of this machine, however the machine looks its accounts up. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { getegid, geteuid } from "node:process";
import { promisify } from "node:util";
import { RuntimeError } from "../runtime.ts";

export interface Account {
  name: string;
  uid: number;
  gid: number;
  /** A directory that exists. */
  home: string;
  /** A program that exists. */
  shell: string;
}

/** Milliseconds; a directory service may have to be asked over the network. */
const LOOKUP_MS = 10_000;
const run = promisify(execFile);

/** The one that this program runs as, also where it has no name. */
export function ownAccount(): Account {
  try {
    const { username: name, uid, gid, homedir: home, shell } = userInfo();
    return usable({ name, uid, gid, home, shell: shell ?? "" });
  } catch {
    const uid = geteuid?.() ?? 0;
    return usable({ name: String(uid), uid, gid: getegid?.() ?? 0, home: "/", shell: "" });
  }
}

/** Rejects with `unsupported` when there is no account of that name. */
export async function findAccount(name: string): Promise<Account> {
  const { stdout } = await run("getent", ["passwd", "--", name], { timeout: LOOKUP_MS }).catch((cause: unknown) => {
    throw new RuntimeError("unsupported", `This host has no account "${name}". Correct host_shell_user.`, { cause });
  });
  const [found = "", , uid, gid, , home = "", shell = ""] = stdout.trim().split(":");
  return usable({ name: found, uid: Number(uid), gid: Number(gid), home, shell });
}

/** What a login does where the account's own is missing. */
function usable(account: Account): Account {
  return {
    ...account,
    home: existsSync(account.home) ? account.home : "/",
    shell: existsSync(account.shell) ? account.shell : "/bin/sh",
  };
}
