/** The peer of forwards: OpenSSH's own server and client over loopback, with keys and configuration that live as long as the run. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type Command, run, Running } from "../command.ts";
import { freePort } from "../../support/free-port.ts";
import { provide } from "../machine.ts";

/** The fastest of OpenSSH's ciphers on today's processors. */
const CIPHER = "aes128-gcm@openssh.com";
/** Where sshd, run as root, changes its root to; it insists that the directory exists. */
const PRIVILEGE_SEPARATION = "/run/sshd";

export class Sshd implements AsyncDisposable {
  readonly #ssh: string;
  readonly #directory: string;
  readonly #port: number;
  readonly #daemon: Running;

  private constructor(ssh: string, directory: string, port: number, daemon: Running) {
    this.#ssh = ssh;
    this.#directory = directory;
    this.#port = port;
    this.#daemon = daemon;
  }

  static async start(): Promise<Sshd> {
    const ssh = await provide("ssh");
    const daemon = await provide("sshd");
    const directory = await mkdtemp(join(tmpdir(), "fairlead-bench-sshd-"));
    const port = await freePort();
    for (const key of ["host", "user"]) await makeKey(join(directory, key));
    await writeFile(join(directory, "config"), configuration(directory, port));
    if (userInfo().uid === 0) await mkdir(PRIVILEGE_SEPARATION, { recursive: true });
    // sshd reports to stderr (-e), which is where readiness is told; the shell hands it over as output.
    const script = 'exec "$0" -D -e -f "$1" 2>&1';
    const running = new Running({ file: "/bin/sh", args: ["-c", script, daemon, join(directory, "config")] });
    await running.ready(/Server listening/);
    return new Sshd(ssh, directory, port, running);
  }

  /** E.g. "OpenSSH_9.2p1". */
  static async version(): Promise<string> {
    // ssh tells its version on the standard error.
    const words = await run({ file: "/bin/sh", args: ["-c", '"$0" -V 2>&1', await provide("ssh")] });
    return words.split(/[ ,]/)[0] ?? words;
  }

  /** A connection of its own that forwards these local ports to this address. Resolves once they are open. */
  async forward(address: string, ports: ReadonlyMap<number, number>): Promise<Running> {
    const forwards = [...ports].flatMap(([local, remote]) => ["-L", `127.0.0.1:${local}:${address}:${remote}`]);
    const master = ["-M", "-S", this.#control, "-o", "ControlPersist=no", "-o", "ExitOnForwardFailure=yes"];
    const connection = new Running(this.#command([...master, ...forwards], "echo ready; exec cat"));
    await connection.ready(/ready/);
    return connection;
  }

  /** Runs a command in a second session of the connection made by {@link forward}. */
  beside(command: string): Command {
    return this.#command(["-S", this.#control, "-o", "ControlMaster=no"], command);
  }

  get #control(): string {
    return join(this.#directory, "control");
  }

  #command(options: readonly string[], command: string): Command {
    const identity = ["-i", join(this.#directory, "user"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"];
    const host = ["-o", "StrictHostKeyChecking=no", "-o", `UserKnownHostsFile=${join(this.#directory, "known")}`];
    const common = ["-F", "none", "-T", "-q", "-c", CIPHER, "-p", String(this.#port), ...identity, ...host];
    return { file: this.#ssh, args: [...common, ...options, `${userInfo().username}@127.0.0.1`, command] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function makeKey(path: string): Promise<void> {
  await run({ file: await provide("ssh-keygen"), args: ["-q", "-t", "ed25519", "-N", "", "-f", path] });
}

function configuration(directory: string, port: number): string {
  return [
    "ListenAddress 127.0.0.1",
    `Port ${port}`,
    `HostKey ${directory}/host`,
    `AuthorizedKeysFile ${directory}/user.pub`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "MaxSessions 64",
    "",
  ].join("\n");
}
