/** The agent's certificate is replaced while it runs and while ctl uses it. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { certificate, type TestCertificate } from "../support/certificate.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { runCtl, startCtl } from "./ctl.ts";

const CONTAINER = "ctl-certificate";

suite("a given certificate", () => {
  let engine: Engine;
  let agent: TestAgent;
  let home: string;
  let files: { cert: string; key: string };
  let [one, two]: TestCertificate[] = [];

  before(async () => {
    engine = await sharedEngine();
    await engine.run(CONTAINER);
    home = await mkdtemp(join(tmpdir(), "fl-change-"));
    files = { cert: join(home, "cert.pem"), key: join(home, "key.pem") };
    [one, two] = await Promise.all([certificate(), certificate()]);
    await put(one);
    agent = await startAgent({ engine, flags: ["--tls-cert", files.cert, "--tls-key", files.key] });
  });

  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", CONTAINER);
    await rm(home, { recursive: true });
  });

  async function put(pair: TestCertificate | undefined): Promise<void> {
    await writeFile(files.cert, pair?.cert ?? "");
    await writeFile(files.key, pair?.key ?? "", { mode: 0o600 });
  }

  const elsewhere = ({ pin = "" }: Partial<TestCertificate> = {}) => ({
    env: { HOME: home, XDG_STATE_HOME: "", FAIRLEAD_SERVER: agent.url, FAIRLEAD_TOKEN: agent.token, FAIRLEAD_PIN: pin },
  });
  const ps = async (where: { env: Record<string, string> }) => (await runCtl(where, ["ps"])).code;

  test("is changed under a running session, for new connections alone", async () => {
    const session = startCtl(elsewhere(one), "exec", "-i", CONTAINER, "cat");
    session.child.stdin.write("before\n");
    await session.says(/before/);
    await put(two);
    await until("a new connection with the new key", async () => (await ps(elsewhere(two))) === 0);
    assert.equal(await ps(elsewhere(one)), 125, "who pinned the old key must hear of it");
    await until("ctl on the agent's machine going on", async () => (await ps(agent)) === 0);
    session.child.stdin.end("after\n");
    const { code, stdout, stderr } = await session.ended;
    assert.deepEqual([code, stdout.toString(), stderr], [0, "before\nafter\n", ""]);
    assert.match(agent.log(), /serving a new certificate with another key/);
  });

  test("that is broken is told in the log, and the one before stays", async () => {
    await writeFile(files.cert, "broken");
    await until("a line in the log", () =>
      /the old one stays: the certificate is no PEM certificate/.test(agent.log()),
    );
    assert.equal(await ps(elsewhere(two)), 0);
    const again = startAgent({ engine, flags: ["--tls-cert", files.cert, "--tls-key", files.key] });
    await assert.rejects(
      again,
      /cannot start: tls_cert .*cert\.pem with tls_key .*: the certificate is no PEM certificate/,
    );
  });
});
