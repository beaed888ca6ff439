/** Who is taken out of the configuration is out of the agent, while everybody else goes on. */

import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { grantsOf } from "../../src/agent/access.ts";
import { type GrantsWatchOptions, watchGrants } from "../../src/agent/grants-watch.ts";
import { digest, newSecret } from "../../src/auth/secret.ts";
import { Tokens } from "../../src/auth/tokens.ts";
import { runCtl, startCtl } from "../ctl/ctl.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";

const CONTAINER = "grants-watch";

suite("grants in the configuration's file", () => {
  const people = { stays: newSecret(), goes: newSecret(), loses: newSecret(), comes: newSecret() };
  type Person = keyof typeof people;
  let engine: Engine;
  let agent: TestAgent;
  let file: string;

  const entry = (name: Person, rights = ["list", "exec"]) => ({ name, token: people[name], rights });
  const write = async (text: string) => {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  const configure = (grants: object[]) => write(JSON.stringify({ grants }));
  const as = (name: Person) => ({ env: { ...agent.env, FAIRLEAD_SERVER: agent.url, FAIRLEAD_TOKEN: people[name] } });
  const mayList = async (name: Person) => (await runCtl(as(name), ["ps", "-o", "name"])).code === 0;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(CONTAINER);
    agent = await startAgent({ engine });
    file = join(agent.home, "config.yaml");
  });
  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", CONTAINER).catch(() => undefined);
  });

  test("hold within seconds: who came is let in, who was taken out or lost a right is out, and nobody else is touched", async () => {
    await configure([entry("stays"), entry("goes"), entry("loses")]);
    await until("all three", () => mayList("loses"));
    const shell = async (name: Person) => {
      const session = startCtl(as(name), "exec", "-i", CONTAINER, "cat");
      session.child.stdin.write("here\n");
      await session.says(/here/);
      return session;
    };
    const [stays, goes, loses] = [await shell("stays"), await shell("goes"), await shell("loses")];
    await configure([entry("stays"), entry("loses", ["list"]), entry("comes")]);
    for (const out of [goes, loses]) {
      const { code, stderr } = await out.ended;
      assert.notEqual(code, 0);
      assert.match(stderr, /withdrawn/);
    }
    await until("the new one", () => mayList("comes"));
    assert.deepEqual([await mayList("goes"), await mayList("loses")], [false, true]);
    stays.child.stdin.end("still here\n");
    assert.equal((await stays.ended).stdout.toString(), "here\nstill here\n");
  });

  test("stay as they were while the file has mistakes, of which the log tells once", async () => {
    await configure([entry("stays")]);
    await until("one", async () => !(await mayList("comes")));
    await write("grants: [{name: stays, token: short, rights: [list]}]");
    await until("the complaint", () => /grants cannot be taken over/.test(agent.log()));
    assert.ok(await mayList("stays"));
    await configure([entry("stays"), entry("goes")]);
    await until("another", () => mayList("goes"));
    assert.equal(agent.log().split("grants cannot be taken over").length, 2);
  });
});

type Grants = GrantsWatchOptions["grants"];

const configured = (name: string, token: string, more: Partial<Grants[number]> = {}): Grants[number] => ({
  name,
  token_sha256: digest(token).toString("hex"),
  rights: ["exec"],
  scopes: [],
  ...more,
});

/** Follows what `read` gives from one look to the next, its last answer for good. */
async function following(grants: Grants, readings: { grants: Grants; source?: string }[]) {
  const tokens = new Tokens([]);
  for (const each of grantsOf(grants)) tokens.add(each);
  const errors: string[] = [];
  let looks = 0;
  const stop = watchGrants({
    tokens,
    grants,
    everyMs: 1,
    reread: async () => {
      const { source = "file", ...values } = readings[Math.min(looks, readings.length - 1)] ?? { grants };
      looks += 1;
      return { values, origins: { grants: { source } } };
    },
    log: { info() {}, error: ({ reason }) => void errors.push(reason) },
  });
  const seen = () => until("some looks", () => looks > readings.length + 3);
  return { tokens, errors, seen, stop };
}

test("half a file, which may give more than the whole, is nobody's grant", async () => {
  const token = newSecret();
  const whole = [configured("ci", token, { scopes: [{ team: "red" }] })];
  const half = [configured("ci", token)];
  const { tokens, seen, stop } = await following(whole, [{ grants: whole }, { grants: half }, { grants: whole }]);
  const before = tokens.verify(token);
  await seen();
  assert.equal(tokens.verify(token), before);
  assert.equal(before?.revoked.aborted, false);
  stop();
});

test("a configuration that has no grants any more, or is gone, withdraws none; an empty list withdraws all", async () => {
  const token = newSecret();
  const grants = [configured("ci", token)];
  const gone = await following(grants, [{ grants: [], source: "default" }]);
  await gone.seen();
  assert.ok(gone.tokens.verify(token));
  assert.match(gone.errors.join(), /^There are no grants in the configuration any more\..* write: grants: \[\]$/);
  const none = await following(grants, [{ grants: [] }]);
  await none.seen();
  assert.equal(none.tokens.verify(token), undefined);
  for (const { stop } of [gone, none]) stop();
});

test("a token may go from one name to another; one that is the agent's own changes nothing at all", async () => {
  const [token, another] = [newSecret(), newSecret()];
  const moved = await following([configured("old", token)], [{ grants: [configured("new", token)] }]);
  await moved.seen();
  assert.equal(moved.tokens.verify(token)?.grant.subject, "token:new");
  const own = newSecret();
  const tokens = new Tokens([{ token: own, grant: { subject: "local", rights: ["admin"], scopes: [] } }]);
  tokens.add({ token, grant: { subject: "token:old", rights: ["list"], scopes: [] } });
  const wish = [another, own].map((each) => ({
    token: each,
    grant: { subject: "token:x", rights: ["list" as const], scopes: [] },
  }));
  assert.throws(() => tokens.replace(["token:old"], wish), /somebody else's/);
  assert.deepEqual([tokens.verify(token)?.grant.subject, tokens.verify(another)], ["token:old", undefined]);
  moved.stop();
});
