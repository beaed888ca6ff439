/** The image as people run it: what it says, who it is inside, and sessions through it. */

import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCtl, startCtl } from "../ctl/ctl.ts";
import { command, environment } from "../support/docker-client.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { freePort } from "../support/free-port.ts";
import { buildImage } from "../support/image.ts";
import { until } from "../support/until.ts";

const COMPOSE = fileURLToPath(new URL("../../compose.yaml", import.meta.url));
/** Beside what a user types, only so that a test need not wait half a minute for the first check. */
const QUICK = ["--health-interval", "1s"];

interface Box {
  name: string;
  port: number;
  /** What it said at the start. */
  welcome: string;
  /** `ctl` on this machine, as if it were another one. */
  env: Record<string, string>;
}

// With the time to build it, which a slow machine needs minutes for.
describe("the image", { timeout: 900_000 }, () => {
  let engine: Engine;
  let home: string;
  let box: Box;
  let strict: Box;
  const inside = (name: string, ...args: string[]) => engine.docker("exec", name, ...args);
  const socket = () => ["-v", `${engine.socket}:/var/run/docker.sock`];

  /** Starts it as the README says. */
  const start = async (name: string, ...options: string[]): Promise<Box> => {
    const port = await freePort();
    const where = ["-p", `127.0.0.1:${port}:9090`, ...socket(), ...QUICK];
    await engine.docker(
      "run",
      "-d",
      "--name",
      name,
      ...where,
      ...options,
      "fairlead",
      "-S",
      "https://server-host:8090",
    );
    const welcome = await until("its welcome", async () => {
      const said = await engine.docker("logs", name);
      return said.includes("docker stop") && said;
    });
    const tokenFile = join(home, `${name}.token`);
    await writeFile(tokenFile, await inside(name, "cat", "/var/lib/fairlead/token"), { mode: 0o600 });
    const pin = /--pin (\S+)/.exec(welcome)?.[1] ?? "";
    const server = `https://localhost:${port}`;
    const env = { FAIRLEAD_SERVER: server, FAIRLEAD_PIN: pin, FAIRLEAD_TOKEN_FILE: tokenFile, HOME: home };
    return { name, port, welcome, env };
  };

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "fl-image-"));
    engine = await startEngine();
    await buildImage(engine);
    await engine.run("web", { command: ["httpd", "-f", "-p", "8000", "-h", "/etc"] });
    box = await start("box");
  });
  after(async () => {
    await engine.remove();
    await rm(home, { recursive: true, force: true });
  });

  test("says how to get in, and makes another code when asked", async () => {
    assert.match(box.welcome, /page +https:\/\/localhost:9090\/#code=\S+/);
    assert.match(box.welcome, /docker exec [0-9a-f]{12} ctl sign-in/);
    assert.match(box.welcome, /first start this with -e FAIRLEAD_PUBLIC_URLS=https:\/\/HOST:9090/);
    assert.match(await inside("box", "ctl", "sign-in"), /^https:\/\/localhost:9090\/#code=\S+$/);
    assert.match(await inside("box", "ctl", "ps"), /^web +busybox +running/m);
  });

  test("becomes healthy", async () => {
    const health = () => engine.docker("inspect", "--format", "{{.State.Health.Status}}", "box");
    await until("a healthy container", async () => (await health()) === "healthy");
  });

  test("is a user without any right but the socket's group", async () => {
    const status = await inside("box", "cat", "/proc/1/status");
    assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m);
    assert.match(status, new RegExp(`^Groups:\\t${(await stat(engine.socket)).gid} $`, "m"));
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) assert.match(status, new RegExp(`^Cap${set}:\t0+$`, "m"));
  });

  test("needs neither root, nor a capability, nor a file system that it may write", async () => {
    const group = String((await stat(engine.socket)).gid);
    const bare = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "10001:10001"];
    strict = await start("strict", ...bare, "--group-add", group);
    const { code, stdout, stderr } = await runCtl(strict, ["exec", "web", "echo", "hello"]);
    assert.deepEqual([code, stdout.toString()], [0, "hello\n"], stderr);
  });

  test("carries sessions: output, input, exit codes, logs", async () => {
    const { code, stdout } = await runCtl(box, ["exec", "-i", "web", "sh", "-c", "cat; exit 7"], "from afar");
    assert.deepEqual([code, stdout.toString()], [7, "from afar"]);
    await engine.run("talker", { command: ["sh", "-c", "echo one; echo two"] });
    assert.equal((await runCtl(box, ["logs", "talker"])).stdout.toString(), "one\ntwo\n");
  });

  test("is looked at and left alone by whoever comes through it", async () => {
    const commands = [
      ["stop", "box"],
      ["restart", "box"],
      ["rm", "-f", "box"],
      ["exec", "box", "cat", "/var/lib/fairlead/token"],
      ["cp", "box:/var/lib/fairlead/token", home],
      ["port-forward", "box", ":9090"],
      ["open", "--no-browser", "box", "9090"],
    ];
    for (const args of commands) {
      const { code, stderr } = await runCtl(box, args);
      assert.equal(code, 125, args.join(" "));
      assert.match(stderr, /The agent itself runs in "box": that is only looked at from here\./);
    }
    assert.match((await runCtl(box, ["logs", "box"])).stdout.toString(), /page +https:/);
  });

  const forwarded = async (from: Box, container: string, port: number) => {
    const local = await freePort();
    const forward = startCtl(from, "port-forward", container, `${local}:${port}`);
    await forward.says(new RegExp(String(local)));
    const answer = await fetch(`http://127.0.0.1:${local}/passwd`);
    assert.match(await answer.text(), /^root:/);
    forward.child.kill("SIGINT");
    await forward.ended;
  };
  const noHelpers = () =>
    until("the helpers to be gone", async () => {
      const helpers = await engine.docker("ps", "--all", "--quiet", "--filter", "label=fairlead.helper");
      return helpers === "";
    });

  test("reaches a port at a container's address", () => forwarded(box, "web", 8000));

  test("reaches a port on a container's loopback, and on a network that it is not on, without any right", async () => {
    const http = (listen: string) => ["httpd", "-f", "-p", listen, "-h", "/etc"];
    await engine.docker("network", "create", "apart");
    await engine.run("inward", { command: http("127.0.0.1:8001") });
    await engine.run("apart", { command: http("8002"), args: ["--network", "apart"] });
    await forwarded(strict, "inward", 8001);
    await forwarded(strict, "apart", 8002);
    const { stdout } = await runCtl(strict, ["ps", "-o", "name"]);
    assert.doesNotMatch(stdout.toString(), /fairlead-dial/);
    await engine.docker("rm", "--force", "inward", "apart");
    await noHelpers();
  });

  test("ends what a lost session started, with a helper of its own image that it leaves nowhere", async () => {
    // Without a shell of its own there is no other way.
    await engine.run("bare", { image: "noshell" });
    const sleeps = async () => (await engine.docker("top", "bare")).includes("sleep 914");
    const run = startCtl(box, "exec", "bare", "/busybox", "sleep", "914");
    await until("its process", sleeps);
    run.child.kill("SIGKILL");
    await run.ended;
    await until("its end", async () => !(await sleeps()));
    await noHelpers();
  });

  test("server and agent come up from the compose file, read-only, and are a fleet without a secret in it", async () => {
    const port = await freePort();
    const variables = { DOCKER_HOST: engine.host, DOCKER_SOCKET: engine.socket, FAIRLEAD_PORT: String(port) };
    const env = { ...environment(), ...variables, FAIRLEAD_NODE_NAME: "own-box" };
    const compose = (...args: string[]) => command("docker-compose", ["-f", COMPOSE, "-p", "flc", ...args], { env });
    await compose("up", "-d");
    const welcome = await until("the server's welcome", async () => {
      const said = await compose("logs", "--no-color", "server");
      return said.includes("Ctrl-C") && said;
    });
    assert.match(welcome, new RegExp(`page +https://localhost:${port}/#code=\\S+`));
    const [, pin = ""] = /pin +(sha256:\S+)/.exec(welcome) ?? [];
    const [, code = ""] = /--code (\S+)/.exec(welcome) ?? [];
    const admin = { env: { HOME: join(home, "compose"), XDG_CONFIG_HOME: join(home, "compose") } };
    const login = await runCtl(admin, ["login", `https://localhost:${port}`, "--pin", pin, "--code", code]);
    assert.equal(login.code, 0, login.stderr);
    const list = () => runCtl(admin, ["ps", "--node", "own-box", "-o", "name"]);
    await until("the agent's containers", async () => (await list()).stdout.toString().includes("own-box:web\n"));
    await until("the token to be gone", async () =>
      compose("exec", "-T", "--user", "fairlead", "server", "ls", "/var/lib/fairlead-join").then(
        (files) => files.trim() === "",
      ),
    );
    await compose("restart", "agent");
    await until("the agent again", async () => (await list()).stdout.toString().includes("own-box:web\n"));
    await compose("down", "--volumes");
  });
});
