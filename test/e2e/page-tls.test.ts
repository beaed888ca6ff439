/** The page from another machine: over TLS, with the certificate that the agent made for itself. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { outsideAddress } from "../support/outside.ts";
import { until } from "../support/until.ts";
import { type Browser, openBrowser, openShell, reload, screen, visit } from "./page/browser.ts";

const CONTAINER = "page-tls";

let engine: Engine;
let agent: TestAgent;
let browser: Browser;
/** The agent's address as another machine has it. */
let url: string;

before(async () => {
  engine = await sharedEngine();
  await engine.run(CONTAINER);
  agent = await startAgent({ engine, flags: ["--listen-address", "0.0.0.0"] });
  url = `https://${outsideAddress()}:${new URL(agent.url).port}`;
  browser = await openBrowser({ anyCertificate: true });
});

after(async () => {
  await browser?.close();
  await agent?.stop();
  await engine?.docker("rm", "--force", CONTAINER);
});

test("a browser that does not know the certificate refuses it", async (t) => {
  const careful = await openBrowser();
  t.after(() => careful.close());
  await assert.rejects(visit(careful.page, url), /ERR_CERT_AUTHORITY_INVALID/);
});

test("once it is accepted, the printed link signs in, and a shell answers through a WebSocket of the same origin", async () => {
  const { page, complaints } = browser;
  await visit(page, `${url}/#code=${agent.code}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(`tr[data-name="${CONTAINER}"]`).getByText("running").waitFor();
  const panel = await openShell(page, CONTAINER);
  await page.keyboard.type("echo $((6*7))-far\n");
  await until("the answer of the shell", async () => (await screen(panel)).includes("42-far"));
  assert.deepEqual(complaints, []);
});

test("the page stays signed in when it is loaded again, with a cookie that only this origin can set", async () => {
  const { page, context } = browser;
  await reload(page);
  await page.getByRole("tab", { name: "Containers" }).waitFor();
  const [cookie, ...more] = await context.cookies();
  assert.deepEqual(more, []);
  assert.match(cookie?.name ?? "", /^__Host-/);
  assert.deepEqual([cookie?.secure, cookie?.httpOnly, cookie?.sameSite], [true, true, "Strict"]);
});
