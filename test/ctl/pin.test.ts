/** ctl and an agent on different machines: TLS with the agent's own certificate, known by its pin. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { issue } from "../../src/door/certificate/issue.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { certificate } from "../support/certificate.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { outsideAddress } from "../support/outside.ts";
import { type Ended, runCtl, shellWords, startCtl, TerminalRun } from "./ctl.ts";

const CONTAINER = "ctl-pin";
const DAY = 24 * 3_600_000;
const OTHER_PIN = `sha256:${"1".repeat(64)}`;

let engine: Engine;
let agent: TestAgent;
/** As another machine sees it. */
let url: string;
let pin: string;
/** Somewhere else than on the agent's machine, with a copy of the token. */
let home: string;
let away: { env: Record<string, string> };

before(async () => {
  engine = await sharedEngine();
  await engine.run(CONTAINER, { command: ["sh", "-c", "mkdir w; echo page >w/index.html; httpd -f -p 80 -h w"] });
  agent = await startAgent({ engine, flags: ["--listen-address", "0.0.0.0"] });
  url = `https://${outsideAddress()}:${new URL(agent.url).port}`;
  [, pin = ""] = / --pin (\S+) /.exec(agent.welcome) ?? [];
});

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "fl-pin-"));
  await writeFile(join(home, "token"), agent.token, { mode: 0o600 });
  const env = { HOME: home, XDG_STATE_HOME: "", XDG_CONFIG_HOME: "", FAIRLEAD_TOKEN_FILE: join(home, "token") };
  away = { env };
});

afterEach(() => rm(home, { recursive: true }));

after(async () => {
  await agent?.stop();
  await engine?.docker("rm", "--force", CONTAINER);
});

const withEnv = (more: Record<string, string>) => ({ env: { ...away.env, ...more } });
const ps = (where: { env: Record<string, string> }, ...args: string[]): Promise<Ended> =>
  runCtl(where, ["ps", "-o", "name", ...args]);

async function settings(text: string): Promise<string> {
  const path = join(home, ".config/fairlead/ctl.yaml");
  await mkdir(join(home, ".config/fairlead"), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** A server with TLS that writes down everything it is sent, and answers nothing. */
async function recorder(options: TlsOptions): Promise<{ url: string; heard: Buffer[]; server: Server }> {
  const heard: Buffer[] = [];
  const server = createServer(options, (socket) => {
    socket.on("data", (bytes) => heard.push(bytes)).on("error", () => {});
  });
  server.on("tlsClientError", () => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, server };
}

suite("ctl on another machine", () => {
  test("gets in with the command line that the agent printed", async () => {
    const [, command = ""] = /elsewhere ctl (.*)\n/.exec(agent.welcome) ?? [];
    assert.equal(command, `--server https://${hostname()}:${new URL(url).port} --pin ${pin} --token-file TOKEN ps`);
    const words = command.replace("TOKEN", join(home, "token")).replace(hostname(), new URL(url).hostname).split(" ");
    const { code, stdout, stderr } = await runCtl(away, words);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout.toString(), new RegExp(`^${CONTAINER} `, "m"));
  });

  test("runs commands, carries bytes and forwards ports through it", async () => {
    const there = withEnv({ FAIRLEAD_SERVER: url, FAIRLEAD_PIN: pin });
    const bytes = randomBytes(3 * 1024 * 1024);
    const { stdout } = await runCtl(there, ["exec", "-i", CONTAINER, "sha256sum"], bytes);
    assert.equal(stdout.toString().slice(0, 64), createHash("sha256").update(bytes).digest("hex"));
    const forward = startCtl(there, "port-forward", CONTAINER, ":80");
    const [, port] = await forward.says(/127\.0\.0\.1:(\d+)/);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "page\n");
    forward.child.kill("SIGINT");
    await forward.ended;
  });

  test("finds the pin in the environment and in ctl.yaml, in any way of writing it", async () => {
    const browsers = pin
      .slice("sha256:".length)
      .toUpperCase()
      .replace(/..(?!$)/g, "$&:");
    assert.equal((await ps(withEnv({ FAIRLEAD_PIN: browsers }), "--server", url)).code, 0);
    await settings(`server: ${url}\npin: ${pin}\n`);
    assert.equal((await ps(away)).code, 0);
    const { stderr } = await ps(away, "-v");
    assert.match(stderr, new RegExp(`its key must have the pin ${pin} \\(from .*ctl\\.yaml\\)`));
  });

  test("refuses another key than the pinned one, names both pins, and sends nothing", async () => {
    const other = await recorder(await certificate());
    const path = await settings(`server: ${other.url}\npin: ${pin}\n`);
    const from: [Record<string, string>, string[], string][] = [
      [{}, ["--pin", pin], "--pin"],
      [{ FAIRLEAD_PIN: pin }, [], "FAIRLEAD_PIN"],
      [{}, [], path],
    ];
    for (const [env, flags, source] of from)
      for (const command of [["ps"], ["exec", CONTAINER, "true"]]) {
        const [verb = "", ...rest] = command;
        const { code, stderr } = await runCtl(withEnv(env), [verb, "--server", other.url, ...flags, ...rest]);
        assert.equal(code, 125);
        assert.match(stderr, /^ctl: https:.* is not the server that was pinned: .* Nothing was sent to it\. .*\n$/);
        assert.ok(stderr.includes(`and ${source} wants ${pin}`), stderr);
        assert.match(stderr, /its key has the pin sha256:[0-9a-f]{64},/);
      }
    other.server.close();
    assert.deepEqual(other.heard, []);
  });

  test("refuses a certificate that nobody vouches for, tells its pin, and sends nothing", async () => {
    const made = await certificate();
    const other = await recorder(made);
    for (const command of [["ps"], ["exec", CONTAINER, "true"]]) {
      const [verb = "", ...rest] = command;
      const { code, stderr } = await runCtl(away, [verb, "--server", other.url, ...rest]);
      assert.equal(code, 125);
      assert.match(stderr, /^ctl: The certificate of https:.* is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\..*\n$/);
      assert.ok(stderr.includes(`--pin ${made.pin}`) && stderr.includes("NODE_EXTRA_CA_CERTS"), stderr);
    }
    other.server.close();
    assert.deepEqual(other.heard, []);
  });

  test("refuses a certificate that has ended and a TLS that is too old, and sends nothing", async () => {
    const { key } = await certificate();
    const [from, until] = [new Date(Date.now() - 2 * DAY), new Date(Date.now() - DAY)];
    const cert = await issue({ key, holder: "old", names: ["127.0.0.1"], from, until });
    await writeFile(join(home, "ca.pem"), cert);
    const trusting = withEnv({ NODE_EXTRA_CA_CERTS: join(home, "ca.pem") });
    const ended = await recorder({ cert, key });
    assert.match((await ps(trusting, "--server", ended.url)).stderr, /is not trusted \(CERT_HAS_EXPIRED\)/);
    const old = await recorder({ cert, key, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" });
    const { code, stderr } = await ps(trusting, "--server", old.url);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: https:.* cannot be reached \(.*protocol version/);
    for (const { server, heard } of [ended, old]) {
      server.close();
      assert.deepEqual(heard, []);
    }
  });

  test("cannot be told to trust anybody by a variable of Node's", async () => {
    const other = await recorder(await certificate());
    const { code } = await ps(withEnv({ NODE_TLS_REJECT_UNAUTHORIZED: "0" }), "--server", other.url);
    assert.equal(code, 125);
    other.server.close();
    assert.deepEqual(other.heard, []);
  });

  test("needs no pin where an authority vouches for that name, and refuses the same certificate for another name", async () => {
    const made = await certificate("DNS:localhost");
    const [cert, key] = [join(home, "cert.pem"), join(home, "key.pem")];
    await writeFile(cert, made.cert);
    await writeFile(key, made.key, { mode: 0o600 });
    const official = await startAgent({ engine, flags: ["--tls-cert", cert, "--tls-key", key] });
    const port = new URL(official.url).port;
    const trusting = withEnv({ NODE_EXTRA_CA_CERTS: cert, FAIRLEAD_TOKEN_FILE: "", FAIRLEAD_TOKEN: official.token });
    assert.equal((await ps(trusting, "--server", `https://localhost:${port}`)).code, 0);
    const { code, stderr } = await ps(trusting, "--server", `https://127.0.0.1:${port}`);
    assert.equal(code, 125);
    assert.match(stderr, /is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    await official.stop();
  });

  test("uses a pin for the server that it was kept for, and for no other", async () => {
    await settings(`server: https://192.0.2.99:9090\npin: ${OTHER_PIN}\n`);
    assert.equal((await ps(away, "--server", url, "--pin", pin)).code, 0);
    const { stderr } = await ps(away, "--server", url);
    assert.match(stderr, /is not trusted/);
  });

  test("tells a mistake in a pin, and a pin where there is no key to compare", async () => {
    for (const bad of ["sha256:12", "nonsense", pin.replace("sha256", "sha1")]) {
      const { code, stderr } = await ps(away, "--server", url, "--pin", bad);
      assert.equal(code, 2);
      assert.match(stderr, /^ctl: ".*" \(--pin\) is no pin\. Write sha256: and 64 hexadecimal digits\.\n$/);
    }
    const { code, stderr } = await ps(away, "--server", "http://127.0.0.1:1", "--pin", pin);
    assert.equal(code, 2);
    assert.match(stderr, /has no key to compare with the pin \(--pin\)\. Write https/);
  });

  test("says so when one side speaks TLS and the other does not", async () => {
    const plain = await startAgent({ engine });
    const { stderr } = await ps(away, "--server", plain.url.replace("http:", "https:"), "--pin", pin);
    assert.match(stderr, /^ctl: https:.* does not speak TLS\. If it serves plain HTTP, write http\.\n$/);
    await plain.stop();
    const clear = await ps(away, "--insecure-plaintext", "--server", url.replace("https:", "http:"));
    assert.match(clear.stderr, /^ctl: http:.* ended the connection\. If it serves TLS, write https\./);
  });
});

suite("ctl on the machine of an agent with a certificate of its own", () => {
  test("needs nothing, whatever way the agent is named", async () => {
    const { port } = new URL(agent.url);
    assert.equal((await ps(agent)).code, 0);
    for (const server of [agent.url, `localhost:${port}`, `127.0.0.1:${port}`, `https://127.0.0.1:${port}`])
      assert.equal((await ps(agent, "--server", server)).code, 0, server);
    const { stdout } = await runCtl(agent, ["exec", "-i", CONTAINER, "cat"], "word");
    assert.equal(stdout.toString(), "word");
  });

  test("compares a pin that it is given, also with this agent", async () => {
    for (const words of [["ps"], ["exec", CONTAINER, "true"]])
      for (const [given, expected] of [
        [pin, 0],
        [OTHER_PIN, 125],
      ] as const)
        assert.equal((await runCtl(agent, [words[0] ?? "", "--pin", given, ...words.slice(1)])).code, expected);
  });

  test("needs nothing on loopback either, and the pin stays when the agent is started again", async () => {
    const pins = [];
    await mkdir(join(home, "own"));
    for (let start = 0; start < 2; start++) {
      const own = await startAgent({ engine, home: join(home, "own"), flags: ["--tls", "self-signed"] });
      assert.match(own.url, /^https:\/\/127\.0\.0\.1:/);
      assert.doesNotMatch(own.welcome, /elsewhere/);
      assert.equal((await ps(own)).code, 0);
      pins.push(/"pin":"(sha256:[0-9a-f]+)"/.exec(own.log())?.[1]);
      own.kill("SIGTERM");
      await own.exited;
    }
    assert.ok(pins[0] && pins[0] === pins[1], pins.join());
  });
});

suite("ctl at a terminal", () => {
  const line = (...args: string[]) => `${shellWords(...args)}; echo "[code $?]"`;
  const pins = () => join(home, ".config/fairlead/pins.json");

  test("shows the pin of an unknown server, remembers a yes, and does not ask again", async () => {
    const there = withEnv({ FAIRLEAD_SERVER: url });
    using asked = new TerminalRun(there, line("exec", "-it", CONTAINER, "sh", "-c", "read x; echo got-$x"));
    const [, shown] = await asked.shows(/Its pin is\s+(sha256:[0-9a-f\r\n]+)/);
    assert.equal(shown?.replaceAll(/[\r\n]/g, "").slice(0, pin.length), pin);
    await asked.shows(/Type yes to trust it/);
    asked.type("yes\n");
    await asked.shows(/pins\.json\./);
    asked.type("typed\n");
    await asked.shows(/got-typed[^]*\[code 0\]/);
    assert.equal((await stat(pins())).mode & 0o777, 0o600);
    assert.deepEqual(JSON.parse(await readFile(pins(), "utf8")), { [url]: pin });
    assert.deepEqual([(await ps(there)).code, (await ps(there)).stderr], [0, ""]);
  });

  test("takes nothing but yes for a yes", async () => {
    for (const answer of ["\n", "y\n", "no\n", "\u0004"]) {
      using asked = new TerminalRun(withEnv({ FAIRLEAD_SERVER: url }), line("ps"));
      await asked.shows(/Type yes to trust it/);
      asked.type(answer);
      await asked.shows(/is not trusted [^]*\[code 125\]/);
    }
    await assert.rejects(readFile(pins()), { code: "ENOENT" });
  });

  test("does not ask about a server whose key has changed, and says where the old pin is kept", async () => {
    await mkdir(join(home, ".config/fairlead"), { recursive: true });
    await writeFile(pins(), JSON.stringify({ [url]: OTHER_PIN }), { mode: 0o600 });
    using terminal = new TerminalRun(withEnv({ FAIRLEAD_SERVER: url, COLUMNS: "" }), line("ps"));
    const [said] = await terminal.shows(/[^]*\[code 125\]/);
    assert.match(said.replaceAll(/\s+/g, ""), /isnottheserverthatwaspinned.*pins\.jsonwantssha256:111/);
    assert.doesNotMatch(said, /Type yes/);
  });

  test("is told of a damaged file of pins", async () => {
    await mkdir(join(home, ".config/fairlead"), { recursive: true });
    for (const text of ["{", `{"${url}": "x"}`, "[]"]) {
      await writeFile(pins(), text, { mode: 0o600 });
      const { code, stderr } = await ps(withEnv({ FAIRLEAD_SERVER: url }));
      assert.equal(code, 125, text);
      assert.match(stderr, /^ctl: .*pins\.json is damaged\. Mend it, or remove it/, text);
    }
  });
});
