import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { certificate } from "../support/certificate.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { runShell, TerminalRun } from "./ctl.ts";

/** The launcher and the built bundle, which loads some parts late; `npm test` builds it first. */
const CTL = fileURLToPath(new URL("../../bin/ctl", import.meta.url));

suite("ctl as it is shipped", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    await engine.run("ctl-shipped");
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-shipped");
  });

  test("pipes and exit codes work through the launcher", async () => {
    const { stdout, code } = await runShell(agent, `echo word | ${CTL} exec -i ctl-shipped sh -c 'cat; exit 7'`);
    assert.deepEqual([stdout.toString(), code], ["word\n", 7]);
  });

  test("a terminal is raw in both directions and given back", async () => {
    const script = `before=$(stty -g); ${CTL} exec -it ctl-shipped sh -c 'stty raw -echo; printf "a\\nb"; read x'; [ "$(stty -g)" = "$before" ] && echo "[same]"`;
    using terminal = new TerminalRun(agent, script);
    await terminal.shows(/a\nb/);
    terminal.type("\n");
    await terminal.shows(/\[same\]/);
  });

  test("a page is opened in the browser", async () => {
    const env = { ...agent.env, BROWSER: "false" };
    const { stdout, stderr, code } = await runShell({ env }, `${CTL} open ctl-shipped 80`);
    assert.deepEqual([stderr, code], ["", 0]);
    assert.match(stdout.toString(), /^http:\/\/ctl-shipped-80-/);
  });

  test("settings are read and explained", async () => {
    const directory = join(agent.home, "config/fairlead");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "ctl.yaml"), "sever: x\n");
    const { code, stderr } = await runShell(agent, `${CTL} ps`);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: .*ctl\.yaml cannot be understood: .*Unrecognized key: "sever".*\n$/);
    await writeFile(join(directory, "ctl.yaml"), `server: ${agent.url}\n`);
    assert.equal((await runShell(agent, `${CTL} ps`)).code, 0);
  });

  test("it speaks TLS with an agent whose certificate it is told to trust or whose pin it has, and with no other", async () => {
    const made = await certificate();
    const [cert, key] = [join(agent.home, "cert.pem"), join(agent.home, "key.pem")];
    await writeFile(cert, made.cert);
    await writeFile(key, made.key, { mode: 0o600 });
    const secure = await startAgent({ engine, flags: ["--tls-cert", cert, "--tls-key", key] });
    const away = { env: { ...agent.env, FAIRLEAD_SERVER: secure.url, FAIRLEAD_TOKEN: secure.token } };
    const trusting = { env: { ...away.env, NODE_EXTRA_CA_CERTS: cert } };
    const pinning = { env: { ...away.env, FAIRLEAD_PIN: made.pin } };
    for (const words of ["ps -o name", "exec ctl-shipped echo ctl-shipped"]) {
      for (const where of [secure, trusting, pinning]) {
        const { stdout, stderr } = await runShell(where, `${CTL} ${words}`);
        assert.match(stdout.toString(), /^ctl-shipped$/m, stderr);
      }
      const { code, stderr } = await runShell(away, `${CTL} ${words}`);
      assert.equal(code, 125);
      assert.match(stderr, /^ctl: The certificate of https:.* is not trusted .*NODE_EXTRA_CA_CERTS\.\n$/);
    }
    await secure.stop();
  });
});
