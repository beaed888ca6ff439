/** `ctl audit` and `ctl audit verify` against a real agent and engine, which is killed in the middle. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { AuditRecord, AuditVerdict } from "../../src/protocol/audit.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { auditOf } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { runCtl, startCtl } from "./ctl.ts";

const WEB = "ctl-audit-web";

suite("ctl audit", () => {
  let engine: Engine;
  let agent: TestAgent;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(WEB);
    agent = await startAgent({ engine });
    await until("the container", async () => (await said("ps", "-o", "name")).out.includes(WEB));
  });

  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", WEB).catch(() => {});
  });

  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCtl(agent, args);
    return { code, out: stdout.toString(), err: stderr };
  };
  const records = async (...args: string[]) =>
    (await said("audit", "-o", "json", ...args)).out
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as AuditRecord);

  test("tells of a session who, what, which container, how it ended and how many bytes it moved", async () => {
    await said("exec", WEB, "echo", "hello");
    await until("its end", async () => (await auditOf(agent)).some(({ event }) => event === "end"));
    const [opened, ended] = await records("--container", WEB);
    const id = (await engine.docker("inspect", "--format", "{{.Id}}", WEB)).trim();
    assert.deepEqual(
      [opened?.event, opened?.kind, opened?.subject, opened?.container, opened?.containerName, opened?.command],
      ["open", "exec", "local", id, WEB, ["echo", "hello"]],
    );
    assert.deepEqual(
      [ended?.event, ended?.session, ended?.outcome, ended?.bytesOut],
      ["end", opened?.session, "exit 0", 6],
    );
    assert.deepEqual(await records("--container", WEB, "--tail", "1"), [ended]);
    const table = (await said("audit", "--container", WEB)).out;
    assert.match(table, /^TIME +EVENT +KIND +SUBJECT +CONTAINER +OUTCOME\n/);
    assert.match(table, /\n\S+Z +end +exec +local +ctl-audit-web +exit 0\n$/);
    assert.match((await said("audit", "-o", "wide", "--container", WEB)).out, /echo hello\n/);
  });

  test("tells of sign-ins and of what was refused, and picks by subject and time", async () => {
    const post = (code: string) =>
      fetch(`${agent.url}/api/v1/sign-in`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: agent.url },
        body: JSON.stringify({ code }),
      });
    assert.equal((await post("AAAA-BBBB-CCCC")).status, 401);
    const { subject } = (await (await post(agent.code)).json()) as { subject: string };
    assert.equal((await said("exec", "ctl-audit-none", "true")).code, 125);
    await until("the records", async () =>
      (await auditOf(agent)).some(({ event, kind }) => event === "refuse" && kind === "exec"),
    );
    const refused = (await records()).filter(({ event }) => event === "refuse");
    assert.deepEqual(
      refused.map(({ kind, outcome, reference }) => [kind, outcome, reference]),
      [
        ["sign-in", "unauthenticated", undefined],
        ["exec", "not-found", "ctl-audit-none"],
      ],
    );
    const [page] = await records("--subject", subject);
    assert.deepEqual([page?.event, page?.issuer], ["sign-in", "local"]);
    assert.deepEqual(await records("--since", "2100-01-01"), []);
    assert.equal((await said("audit", "--since", "yesterday")).code, 2);
  });

  test("-f goes on with each new record", async () => {
    const following = startCtl(agent, "audit", "-f", "--container", WEB);
    await following.says(/exec/);
    await said("exec", WEB, "false");
    await following.says(/exit 1/);
    following.child.kill("SIGINT");
    await following.ended;
  });

  test("an agent that was killed ends in its next start what was open, and the records are still whole", async () => {
    const held = startCtl(agent, "exec", "-i", WEB, "cat");
    await until("the session", async () => (await records("--container", WEB)).at(-1)?.event === "open");
    agent.kill("SIGKILL");
    await agent.exited;
    held.child.kill("SIGKILL");
    agent = await startAgent({ engine, home: agent.home });
    const all = await records();
    const restarted = all.findIndex(({ event }) => event === "agent-restarted");
    assert.deepEqual(
      all.slice(restarted + 1, restarted + 2).map(({ event, kind, outcome }) => [event, kind, outcome]),
      [["end", "exec", "agent-restarted"]],
    );
    const count = (event: string) => all.filter((record) => record.event === event).length;
    assert.equal(count("open"), count("end"));
    const { code, out } = await said("audit", "verify");
    assert.match(out, /^\d+ records, all as they were written; the last is \d+, [0-9a-f]{64}\n$/);
    assert.equal(code, 0);
  });

  test("verify finds a changed record in the agent's log, and in files without an agent", async () => {
    const directory = join(agent.stateDir, "log");
    assert.equal((await said("audit", "verify", directory)).code, 0);
    const path = join(directory, "audit.log");
    await writeFile(path, (await readFile(path, "utf8")).replace('["false"]', '["fals3"]'));
    for (const where of [[], [path], [directory]]) {
      const { code, out } = await said("audit", "verify", ...where);
      assert.match(
        out,
        /^audit\.log:\d+: the line was changed or cut off: it does not have its hash\n\d+ records, faults: 1;/,
      );
      assert.equal(code, 1);
    }
    const verdict = JSON.parse((await said("audit", "verify", "-o", "json")).out) as AuditVerdict;
    assert.equal(verdict.faults.length, 1);
    assert.equal((await said("audit", "verify", "/nowhere")).code, 125);
    assert.equal((await said("audit", "check")).code, 2);
  });
});
