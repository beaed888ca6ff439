/** A private Podman engine for tests behind its Docker-compatible socket: storage, locks, network and service of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { command, type DockerClient, dockerClient, environment, importNoshell } from "./docker-client.ts";
import { until } from "./until.ts";

/** Milliseconds to install packages. */
const INSTALL_TIMEOUT_MS = 300_000;
const LIB = fileURLToPath(new URL("../../bin/lib", import.meta.url));
const PACKAGES = [
  "podman=podman",
  "/usr/sbin/runc=runc",
  "/usr/lib/podman/netavark=netavark",
  "iptables=iptables",
  "ip=iproute2",
  "busybox=busybox-static",
  "/usr/bin/docker=docker.io",
];
/** Runs a function of bin/lib/network.sh for the bridge NAME, whose subnet is noted in DIR: FUNCTION LIB DIR NAME. */
const NETWORK = `set -eu
fail() { echo "$1" >&2; exit 1; }
dir=$2 name=$3
mkdir -p /run/fairlead
. "$1/network.sh"
$0`;

export interface Podman extends DockerClient {
  /** Brings a killed service back at the same socket. */
  start(): Promise<void>;
  /** Signals the service alone, which containers do not need; after a deadly one it returns once the service is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends and deletes everything. */
  remove(): Promise<void>;
}

/** An engine of its own, up and with the images of every test engine; the caller removes it. Takes about two seconds. */
export async function startPodman(): Promise<Podman> {
  await command(join(LIB, "packages"), PACKAGES, { timeout: INSTALL_TIMEOUT_MS });
  const dir = await mkdtemp(join(tmpdir(), "fl-podman-"));
  await prepare(dir);
  const engine = podmanIn(dir);
  await engine.start();
  await importImages(engine, dir);
  return engine;
}

function podmanIn(dir: string): Podman {
  const client = dockerClient(`unix://${join(dir, "podman.sock")}`);
  let service: ChildProcess | undefined;
  const kill = async (signal: NodeJS.Signals) => {
    if (service?.exitCode !== null || service.signalCode !== null) return;
    service.kill(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await once(service, "exit");
  };
  return {
    ...client,
    start: async () => {
      service = serve(dir, client.host);
      await until("Podman's service", () => answers(client, service));
    },
    kill,
    remove: async () => {
      // The service first: one that hangs holds the locks of its containers.
      await kill("SIGKILL");
      await podman(dir, "rm", "--force", "--all", "--time", "0").catch((error: unknown) => console.error(error));
      await killLeftovers(dir);
      await command("umount", ["--lazy", join(dir, "root", "overlay")]).catch(() => "");
      await network(dir, "network_down");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function serve(dir: string, host: string): ChildProcess {
  const args = ["--tmpdir", join(dir, "tmp"), "system", "service", "--time", "0", host];
  const log = openSync(join(dir, "service.log"), "a");
  const service = spawn("podman", args, { env: podmanEnvironment(dir), stdio: ["ignore", "ignore", log] });
  closeSync(log);
  return service;
}

/**
 * Each container and each exec has a `conmon` beside it. An exec's stays for five minutes after its end, and would then bring
 * DIR back. A container's still has a child where the container could not be removed.
 */
async function killLeftovers(dir: string): Promise<void> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 1);
  for (const pid of pids) {
    const words = (await readProc(pid, "cmdline")).split("\0");
    if (!words[0]?.endsWith("conmon") || !words.includes(join(dir, "run"))) continue;
    const children = (await readProc(pid, `task/${pid}/children`)).split(" ").filter(Boolean).map(Number);
    for (const each of [...children, pid]) end(each);
  }
}

/** It may just have ended by itself. */
function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {}
}

function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}

function answers({ docker }: DockerClient, service: ChildProcess | undefined): Promise<boolean> {
  if (service?.exitCode !== null) throw new Error("podman system service did not start");
  return docker("version").then(
    () => true,
    () => false,
  );
}

/** What tells this engine apart from any other on the machine; its locks would otherwise be in memory that all share. */
async function prepare(dir: string): Promise<void> {
  await mkdir(join(dir, "networks"));
  await network(dir, "bridge_up");
  const subnet = (await readFile(join(dir, "subnet"), "utf8")).trim();
  const bridge = {
    name: "podman",
    id: "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
    driver: "bridge",
    network_interface: bridgeName(dir),
    created: "2026-01-01T00:00:00Z",
    subnets: [{ subnet: `${subnet}.0/24`, gateway: `${subnet}.1` }],
    ipam_options: { driver: "host-local" },
  };
  await writeFile(join(dir, "networks", "podman.json"), JSON.stringify(bridge));
  await writeFile(
    join(dir, "storage.conf"),
    `[storage]
driver = "overlay"
graphroot = "${dir}/root"
runroot = "${dir}/run"
`,
  );
  await writeFile(
    join(dir, "containers.conf"),
    `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=32768:32768"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "${dir}/networks"
`,
  );
}

async function importImages(engine: DockerClient, dir: string): Promise<void> {
  await command(join(LIB, "busybox-tree"), [join(dir, "tree"), join(dir, "busybox.tar")]);
  await engine.docker("import", join(dir, "busybox.tar"), "busybox");
  await importNoshell(engine);
}

function podmanEnvironment(dir: string): NodeJS.ProcessEnv {
  const [conf, storage] = [join(dir, "containers.conf"), join(dir, "storage.conf")];
  return { ...environment(), CONTAINERS_CONF: conf, CONTAINERS_STORAGE_CONF: storage };
}

function podman(dir: string, ...args: string[]): Promise<string> {
  return command("podman", ["--tmpdir", join(dir, "tmp"), ...args], { env: podmanEnvironment(dir) });
}

async function network(dir: string, verb: "bridge_up" | "network_down"): Promise<void> {
  await command("sh", ["-c", NETWORK, verb, LIB, dir, bridgeName(dir)]);
}

/** A device's name has at most 15 characters. */
function bridgeName(dir: string): string {
  return `flp-${basename(dir).slice(-6)}`;
}
