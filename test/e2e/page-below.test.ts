/** The page below a path of a reverse proxy's, which does the TLS elsewhere and passes on what is left of the address. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { type PathProxy, startPathProxy } from "../support/path-proxy.ts";
import { until } from "../support/until.ts";
import { type Browser, openBrowser, openShell, screen, visit } from "./page/browser.ts";

const CONTAINER = "page-below";
const PATH = "/tools/fairlead";

let engine: Engine;
let agent: TestAgent;
let browser: Browser;
let proxy: PathProxy;

before(async () => {
  engine = await sharedEngine();
  await engine.run(CONTAINER);
  agent = await startAgent({ engine, flags: ["--trusted-proxies", "127.0.0.1"] });
  proxy = await startPathProxy({ path: PATH, target: agent.url });
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await agent?.stop();
  proxy?.close();
  await engine?.docker("rm", "--force", CONTAINER);
});

test("signs in, lists, and opens a shell through a WebSocket, all of it below the path", async () => {
  const { page, complaints } = browser;
  await visit(page, `http://localhost:${proxy.port}${PATH}/#code=${agent.code}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(`tr[data-name="${CONTAINER}"]`).getByText("running").waitFor();
  const panel = await openShell(page, CONTAINER);
  await page.keyboard.type("echo $((6*7))-below\n");
  await until("the answer of the shell", async () => (await screen(panel)).includes("42-below"));
  assert.deepEqual([complaints, proxy.strays], [[], []]);
});
