/** The page below a path of a reverse proxy's, which does the TLS elsewhere and passes on what is left of the address. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { after, before, test } from "node:test";
import { createProxyServer } from "http-proxy";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { type Browser, openBrowser, openShell, screen, visit } from "./page/browser.ts";

const CONTAINER = "page-below";
const PATH = "/tools/fairlead";

let engine: Engine;
let agent: TestAgent;
let browser: Browser;
let proxy: Server;
/** What was asked for beside the path: another tool's, which this proxy does not have. */
const strays: string[] = [];

before(async () => {
  engine = await sharedEngine();
  await engine.run(CONTAINER);
  proxy = createServer();
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  agent = await startAgent({ engine, flags: ["--trusted-proxies", "127.0.0.1"] });
  pass(proxy, agent.url);
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await agent?.stop();
  proxy?.close();
  await engine?.docker("rm", "--force", CONTAINER);
});

function pass(from: Server, target: string): void {
  const passing = createProxyServer({ target, ws: true });
  const known = (request: IncomingMessage): boolean => {
    const { url = "" } = request;
    if (!url.startsWith(`${PATH}/`)) strays.push(url);
    request.url = url.slice(PATH.length);
    return url.startsWith(`${PATH}/`);
  };
  // A browser that goes away ends what it had open.
  from.on("request", (request, response) => {
    if (known(request)) passing.web(request, response).catch(() => response.destroy());
    else response.writeHead(404).end();
  });
  from.on("upgrade", (request, socket, head) => {
    if (known(request)) passing.ws(request, socket as Socket, {}, head).catch(() => socket.destroy());
    else socket.destroy();
  });
}

test("signs in, lists, and opens a shell through a WebSocket, all of it below the path", async () => {
  const { page, complaints } = browser;
  const { port } = proxy.address() as AddressInfo;
  await visit(page, `http://localhost:${port}${PATH}/#code=${agent.code}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(`tr[data-name="${CONTAINER}"]`).getByText("running").waitFor();
  const panel = await openShell(page, CONTAINER);
  await page.keyboard.type("echo $((6*7))-below\n");
  await until("the answer of the shell", async () => (await screen(panel)).includes("42-below"));
  assert.deepEqual([complaints, strays], [[], []]);
});
