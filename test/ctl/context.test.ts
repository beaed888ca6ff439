import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { type Ended, runCtl } from "./ctl.ts";

suite("ctl context", () => {
  let engine: Engine;
  let agent: TestAgent;
  let home: string;
  let tokenFile: string;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    home = await mkdtemp(join(tmpdir(), "fl-context-"));
    tokenFile = join(home, "lab.token");
    await writeFile(tokenFile, agent.token, { mode: 0o600 });
  });
  after(async () => {
    await agent.stop();
    await rm(home, { recursive: true });
  });

  const ctl = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
    runCtl({ env: { HOME: home, XDG_STATE_HOME: "", XDG_CONFIG_HOME: "", ...env } }, args);
  const said = async (args: string[]) => (await ctl(args)).stdout.toString();

  test("add keeps a server under a name, readable by its owner alone, and every command means it", async () => {
    const { code, stderr } = await ctl(["context", "add", "lab", "--server", agent.url, "--token-file", tokenFile]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal((await stat(join(home, ".config/fairlead/contexts.json"))).mode & 0o777, 0o600);
    assert.equal((await ctl(["ps"])).code, 0);
  });

  test("list shows which one is meant, and no token", async () => {
    await ctl(["context", "add", "dead", "--server", "http://127.0.0.1:1", "--token", "a-token-of-dead-thing"]);
    assert.match(
      await said(["context", "list"]),
      /^CURRENT +NAME +SERVER\n +lab +http:.*\n\* +dead +http:.*\n +local +/,
    );
    assert.equal(await said(["context", "list", "-o", "name"]), "lab\ndead\nlocal\n");
    assert.ok(!(await said(["context", "list", "-o", "json"])).includes("a-token-of-dead-thing"));
  });

  test("use, --context and FAIRLEAD_CONTEXT choose another one", async () => {
    assert.match((await ctl(["ps"])).stderr, /127\.0\.0\.1:1\b/);
    assert.equal((await ctl(["--context", "lab", "ps"])).code, 0);
    assert.equal((await ctl(["ps"], { FAIRLEAD_CONTEXT: "lab" })).code, 0);
    assert.equal((await ctl(["ps", "--context", "lab"], { FAIRLEAD_SERVER: "http://127.0.0.1:1" })).code, 0);
    assert.equal((await ctl(["context", "use", "lab"])).code, 0);
    assert.equal((await ctl(["ps"])).code, 0);
    assert.match((await ctl(["ps", "--context", "local"])).stderr, /No agent of this user runs/);
  });

  test("a token that is kept for one server is never sent to another", async () => {
    const { code, stderr } = await ctl(["ps"], { FAIRLEAD_SERVER: "http://127.0.0.1:1" });
    assert.equal(code, 125);
    assert.match(stderr, /There is no token for http:\/\/127\.0\.0\.1:1\./);
  });

  test("mistakes are told with what there is", async () => {
    const mistakes: [string[], RegExp][] = [
      [["ps", "--context", "nope"], /There is no context "nope"\. There are: lab, dead, local\./],
      [["context", "use", "nope"], /There is no context "nope"/],
      [["context", "remove", "local"], /There is no context "local" to remove/],
      [["context", "add", "x y", "--server", "http://127.0.0.1:1"], /cannot be a context's name/],
      [["context", "add", "bare"], /Name the server/],
      [["context", "add", "odd", "--server", "ftp://box"], /"ftp:\/\/box" \(--server\) is not the address of a server/],
      [["context", "add", "odd", "--server", "box:9090", "--pin", "sha256:zz"], /"sha256:zz" \(--pin\) is no pin/],
      [["ps", "--context", "lab", "--server", "http://127.0.0.1:1"], /each name a server/],
    ];
    for (const [args, words] of mistakes) {
      const { code, stderr } = await ctl(args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, words);
    }
  });

  test("a server without encryption is kept with the word that this is meant, and for none else", async () => {
    const add = ["context", "add", "plain", "--server", "http://192.0.2.1:9", "--token", "a-token-of-plain-thing"];
    assert.match((await ctl(add)).stderr, /is not encrypted/);
    assert.equal(await said(["context", "list", "-o", "name"]), "lab\ndead\nlocal\n");
    assert.equal((await ctl([...add, "--insecure-plaintext"])).code, 0);
    const other = await ctl(["context", "add", "other", "--server", "http://192.0.2.2:9"]);
    assert.match(other.stderr, /is not encrypted/);
    assert.match((await ctl(["ps", "--server", "http://192.0.2.2:9"])).stderr, /is not encrypted/);
    assert.match((await ctl(["context", "remove", "plain"])).stdout.toString(), /Its token is still good/);
    assert.equal((await ctl(["context", "use", "lab"])).code, 0);
  });

  test("remove forgets it, and what was meant by it is no longer meant", async () => {
    assert.equal((await ctl(["context", "remove", "lab"])).code, 0);
    assert.equal(await said(["context", "list", "-o", "name"]), "dead\nlocal\n");
    assert.match((await ctl(["ps"])).stderr, /No agent of this user runs/);
  });
});
