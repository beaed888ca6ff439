/** An administrator who has no token any more, at the server's own machine. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Home, runCtl } from "../ctl/ctl.ts";
import { startServer, type TestServer } from "../support/server.ts";

const MAIN = fileURLToPath(new URL("../../src/server/main.ts", import.meta.url));

suite("fairlead server login", () => {
  let server: TestServer;
  let home: Home;
  before(async () => {
    server = await startServer({ flags: ["--tls", "self-signed"] });
    home = { env: { HOME: server.home, XDG_CONFIG_HOME: join(server.home, "ctl") } };
  });
  after(() => server.stop());

  function ask(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      const run = execFile(process.execPath, [MAIN, "login", ...args], { cwd: server.home }, (_error, stdout, stderr) =>
        resolve({ code: run.exitCode ?? -1, stdout, stderr }),
      );
    });
  }

  test("prints a login that lets one administrator in, once, however many there were before", async () => {
    await server.atHome({ method: "POST", path: "/api/v1/tokens", body: { name: "lost", rights: ["admin"] } });
    const { stdout, code } = await ask("--data-dir", server.stateDir);
    assert.equal(code, 0);
    const [, pin = ""] = /^ {2}pin {7}(sha256:[0-9a-f]{64})$/m.exec(stdout) ?? [];
    const [, login = ""] = /ctl login https:\S+ --code (\S+)$/m.exec(stdout) ?? [];
    assert.equal(pin, server.pin);
    const args = ["login", server.url, "--pin", pin, "--code", login];
    const first = await runCtl(home, args);
    assert.equal(first.code, 0, first.stderr);
    const nodes = await runCtl(home, ["nodes", "add", "box"]);
    assert.equal(nodes.code, 0, nodes.stderr);
    assert.equal((await runCtl(home, args)).code, 125);
    assert.ok(!server.log().includes(login));
  });

  test("waits for a server that does not run, and says so", async () => {
    await server.end();
    const { stdout, stderr, code } = await ask("--data-dir", server.stateDir);
    assert.equal(code, 0);
    assert.match(stderr, /^No server runs on this database now/);
    const [, login = ""] = /--code (\S+)$/m.exec(stdout) ?? [];
    server = await startServer({ flags: ["--tls", "self-signed"], before: server });
    const again = await runCtl(home, ["login", server.url, "--pin", server.pin ?? "", "--code", login]);
    assert.equal(again.code, 0, again.stderr);
  });

  test("says what to do where no server has its state", async () => {
    const { code, stderr } = await ask("--data-dir", join(server.home, "nowhere"));
    assert.match(`${code} ${stderr}`, /^1 fairlead server: There is no .*server\.db: name the server's data_dir/);
  });
});
