/** The server's page in a real browser: containers of several hosts, each with an engine of its own, and sessions through the relay. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BEAT_PATH } from "../../src/protocol/fleet.ts";
import type { NodeView } from "../../src/protocol/node.ts";
import { startCtl } from "../ctl/ctl.ts";
import type { TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine, startEngine } from "../support/engine.ts";
import { BEAT, TestHost } from "../support/host.ts";
import { until } from "../support/until.ts";
import { closeTerminal, openAs, openShell, screen, useHostShell, visit } from "./page/browser.ts";
import { type FleetPage, openFleetPage } from "./page/fleet.ts";
import { removeContainers } from "./page/setup.ts";

const ONE = "page-fleet-one";
const TWO = "page-fleet-two";
const LATE = "page-fleet-late";
/** Counts on its log, so that every gap and every repetition shows. */
const COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; usleep 20000; done";

let engine: Engine;
let other: Engine;
let fleet: FleetPage;
let second: TestAgent;

before(async () => {
  [engine, other] = await Promise.all([sharedEngine(), startEngine()]);
  await engine.run(ONE, { command: ["sh", "-c", COUNTING] });
  await other.run(TWO);
  fleet = await openFleetPage();
  await fleet.join("box-1", engine);
  second = await fleet.join("box-2", other, { env: { FAIRLEAD_HOST_SHELL: "true" } });
});

after(async () => {
  await fleet?.close();
  await removeContainers(engine, [ONE, LATE]);
  await other?.remove();
});

const card = (name: string) => fleet.page.getByRole("article", { name });
const row = (name: string) => fleet.page.locator(`tr[data-name="${name}"]`);

test("containers of all hosts stand in one list, which changes by itself and can be narrowed to one host", async () => {
  const { page } = fleet;
  await row(`box-1:${ONE}`).getByText("running").waitFor();
  await row(`box-2:${TWO}`).getByText("running").waitFor();
  await engine.run(LATE);
  await row(`box-1:${LATE}`).getByText("running").waitFor();
  for (const label of ["CPU", "Memory"])
    await row(`box-2:${TWO}`)
      .locator(`[data-label="${label}"]`)
      .getByText(/^[\d.]+ ?(%|[KMG]i?B|B)$/)
      .waitFor();
  await engine.docker("rm", "--force", LATE);
  await row(`box-1:${LATE}`).waitFor({ state: "detached" });
  await page.getByLabel("Host", { exact: true }).selectOption("box-2");
  await row(`box-1:${ONE}`).waitFor({ state: "detached" });
  assert.equal(await row(`box-2:${TWO}`).count(), 1);
  await page.getByLabel("Host", { exact: true }).selectOption("All hosts");
  await page.getByLabel("Filter containers").fill("box-1 running");
  await row(`box-2:${TWO}`).waitFor({ state: "detached" });
  await page.getByLabel("Filter containers").fill("");
  await row(`box-2:${TWO}`).waitFor();
});

test("terminals on two hosts, an attach and a log go on where they were when the connection to the server is torn", async () => {
  const { page, cable, server } = fleet;
  const one = await openShell(page, `box-1:${ONE}`);
  const two = await openShell(page, `box-2:${TWO}`);
  await page.keyboard.type("echo $((6*7)) at $(hostname)\n");
  const host = (await other.docker("inspect", "--format", "{{.Config.Hostname}}", TWO)).trim();
  await until("the answer", async () => (await screen(two)).includes(`42 at ${host}`));
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `More for box-1:${ONE}` }).click();
  await page.getByRole("menuitem", { name: "Attach" }).click();
  const attached = page.getByRole("tabpanel", { name: `Attached: box-1:${ONE}` });
  const said = async () =>
    Math.max(0, ...(await screen(attached)).map((row) => Number(/^line (\d+)$/.exec(row)?.[1] ?? 0)));
  await until("what the main process says", async () => (await said()) > 0);
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `Log of box-1:${ONE}` }).click();
  const log = page.getByRole("tabpanel", { name: `Log: box-1:${ONE}` });
  const numbers = async () =>
    (await log.locator("li").allTextContents()).map((text) => Number(/line (\d+)/.exec(text)?.[1]));
  await until("lines", async () => (await numbers()).length > 1);
  cable.cut();
  await page.getByText("The connection is lost.").waitFor();
  const logged = (await numbers()).at(-1) ?? 0;
  cable.mend(server);
  await page.getByText("The connection is lost.").waitFor({ state: "detached" });
  await until("newer lines", async () => ((await numbers()).at(-1) ?? 0) > logged + 50);
  const seen = await numbers();
  assert.deepEqual(
    seen,
    seen.map((_, index) => (seen[0] ?? 0) + index),
  );
  await page.getByRole("tab", { name: `Attached: box-1:${ONE}` }).click();
  await until("the attach", async () => (await said()) > logged + 50);
  await page.getByRole("tab", { name: `Terminal: box-1:${ONE}` }).click();
  await page.keyboard.type("echo still $((40+2))\n");
  await until("the first terminal", async () => (await screen(one)).includes("still 42"));
  await closeTerminal(page, `box-1:${ONE}`);
  await closeTerminal(page, `box-2:${TWO}`);
});

test("a shell on a host whose agent gives one is opened from its card, and refused in the agent's words once it gives none", async () => {
  const { page } = fleet;
  await page.getByRole("tab", { name: "Hosts" }).click();
  await card("box-1").waitFor();
  assert.equal(await card("box-1").getByRole("button", { name: "Shell on box-1" }).count(), 0);
  await card("box-2").getByRole("button", { name: "Shell on box-2" }).click();
  const panel = page.getByRole("tabpanel", { name: "Shell: box-2" });
  await useHostShell(page, panel);
  second.kill("SIGKILL");
  await second.exited;
  second = await fleet.join("box-2", other, { home: second.home });
  const again = panel.getByRole("button", { name: "New shell" });
  await until("the agent's words", async () => {
    await again.click();
    await again.waitFor();
    return await panel.getByText(/Not started: This agent gives no shell on its host/).isVisible();
  });
  await page.getByRole("button", { name: "Close Shell: box-2" }).click();
  await page.getByRole("tab", { name: "Hosts" }).click();
  await card("box-2").getByRole("button", { name: "Shell on box-2" }).waitFor({ state: "detached" });
});

test("of a host whose agent is away the last list stays, and it and open terminals say so, until the agent is back", async () => {
  const { page } = fleet;
  await openShell(page, `box-2:${TWO}`);
  second.kill("SIGKILL");
  await second.exited;
  await page.getByText("The connection to box-2 is lost. Terminals there go on").waitFor();
  await closeTerminal(page, `box-2:${TWO}`);
  await page.getByRole("tab", { name: "Containers" }).click();
  const heading = page.locator("tr.group", { hasText: "box-2" });
  await heading.getByText(/The agent of box-2 is not connected/).waitFor();
  await heading.getByText(/CPU and memory as of \d+s ago/).waitFor();
  assert.equal(await row(`box-2:${TWO}`).count(), 1);
  second = await fleet.join("box-2", other, { home: second.home });
  await heading.getByText(/is not connected/).waitFor({ state: "detached" });
  await heading.getByText(/CPU and memory as of/).waitFor({ state: "detached" });
  await row(`box-2:${TWO}`).getByText("running").waitFor();
});

test("an agent that is told to end says so where a terminal of its host is open, and lets that finish", async () => {
  const { page } = fleet;
  const shell = await openShell(page, `box-2:${TWO}`);
  second.kill("SIGTERM");
  await page.getByText("The agent of box-2 is shutting down. What is open there ends with it in").waitFor();
  await page.keyboard.type("exit 4\n");
  await shell.getByText("Ended with exit code 4.").waitFor();
  assert.equal(await second.exited, 0);
  await page.getByText("is shutting down").waitFor({ state: "detached" });
  await page.getByRole("button", { name: `Close Terminal: box-2:${TWO}` }).click();
  second = await fleet.join("box-2", other, { home: second.home });
});

test("New agent shows the one command, and the host it is run on appears with charts that move", async () => {
  const { page, server } = fleet;
  await page.getByRole("tab", { name: "Hosts" }).click();
  await page.getByRole("button", { name: "New agent" }).click();
  await page.getByLabel("Name of the host").fill("no host");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Name of the host").fill("box-3");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/good once, and ends in 1[45]m/).waitFor();
  const command = (await page.locator("pre.copyable").textContent()) ?? "";
  const [, flags = ""] = /^fairlead agent (-S http:\S+ --node-name box-3 --token flb_\S+)$/.exec(command) ?? [];
  await page.getByRole("button", { name: "Done" }).click();
  await card("box-3").getByText("Pending").waitFor();
  await fleet.run(engine, flags.replace(fleet.cable.url, server.url).split(" "));
  await card("box-3").getByText("Ready", { exact: true }).waitFor();
  await card("box-3").getByText("Sessions: connected").waitFor();
  for (const label of ["CPU", "Memory", "Disk", "Network"]) {
    const path = card("box-3").getByRole("img", { name: label }).locator("path").first();
    await until(`a line of ${label}`, async () => /L.*L/.test((await path.getAttribute("d")) ?? ""));
  }
});

test("an administrator disables, enables and removes a host, each after a yes", async () => {
  const { page, server } = fleet;
  const press = (words: string) =>
    card("box-3")
      .getByRole("button", { name: `${words} box-3` })
      .click();
  const answer = (words: string) => page.getByRole("dialog").getByRole("button", { name: words, exact: true }).click();
  const key = (await server.json<NodeView>("/api/v1/nodes/box-3")).key?.id;
  await press("Disable");
  await answer("Cancel");
  assert.equal((await server.json<NodeView>("/api/v1/nodes/box-3")).settings.enabled, true);
  await press("Disable");
  await answer("Disable");
  await card("box-3").getByText("Ready, disabled").waitFor();
  await press("Enable");
  await answer("Enable");
  await card("box-3").getByText("Ready", { exact: true }).waitFor();
  await press("New key");
  await answer("New key");
  await until("another key", async () => (await server.json<NodeView>("/api/v1/nodes/box-3")).key?.id !== key);
  await press("Remove");
  await answer("Remove");
  await card("box-3").waitFor({ state: "detached" });
});

test("graphics processors, a wrong clock and a copy of a host are shown", async () => {
  const { server } = fleet;
  const host = new TestHost(server.url);
  const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "box-4" });
  await host.bootstrap(token);
  const gpu = { uuid: "GPU-1", name: "RTX 6000", usage: 87, temperature: 71, power: 290, processes: [] };
  await host.beat({ gpus: [gpu], engineReady: false, gatewayStatus: "connecting", gatewayStatusDetail: "refused" });
  await card("box-4").getByText("RTX 6000 87%, 71 °C, 290 W").waitFor();
  await card("box-4").getByText("Its container engine does not answer.").waitFor();
  await card("box-4").getByText("Sessions: connecting: refused").waitFor();
  await host.signed(BEAT_PATH, BEAT, Date.now() + 120_000);
  await card("box-4")
    .getByText(/The clock of this host is 1\d\d s ahead/)
    .waitFor();
  await host.beat();
  await card("box-4")
    .getByText(/The clock of this host/)
    .waitFor({ state: "detached" });
  const copy = host.clone();
  await host.register();
  await host.beat();
  await copy.register({ hostname: "copied" });
  await card("box-4")
    .getByText(/is there twice: copied came with the identity of box.example/)
    .waitFor();
  await card("box-4").getByText("NotReady").waitFor();
});

test("of a host that is away its card tells nothing as if it were so now", async () => {
  const { page, server } = fleet;
  await page.getByRole("tab", { name: "Hosts" }).click();
  const host = new TestHost(server.url);
  const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "leaving" });
  await host.bootstrap(token);
  await host.beat({ gatewayStatus: "connected", engineReady: false });
  await card("leaving").getByText("Sessions: connected").waitFor();
  await card("leaving").getByText("2 running").waitFor();
  await card("leaving").getByText("NotReady").waitFor();
  await card("leaving").getByText("last report").waitFor();
  const words = (await card("leaving").textContent()) ?? "";
  assert.doesNotMatch(words, /Sessions|running|does not answer|%|iB/);
  await card("leaving").getByRole("img", { name: "CPU: not known" }).waitFor();
});

test("a login is approved where its link leads: who asks from where, with the code that the terminal shows", async () => {
  const { page, server, cable } = fleet;
  const home = { env: { XDG_CONFIG_HOME: join(server.home, "somebody"), HOME: server.home } };
  const login = startCtl(home, "login", server.url, "--insecure-plaintext", "--name", "somebody@laptop");
  const [, code = ""] = await login.says(/#approve=(\S+)\n/);
  await page.goto(`${cable.url}/#approve=${code}`);
  const dialog = page.getByRole("dialog", { name: "Approve a login" });
  await dialog.getByText(/somebody@laptop asked at 127\.0\.0\.1, \d+s ago/).waitFor();
  await dialog.getByText(code, { exact: true }).waitFor();
  assert.equal(new URL(page.url()).hash, "");
  await dialog.getByRole("button", { name: "Let in" }).click();
  await dialog.getByText("somebody@laptop is let in.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  assert.equal((await login.ended).code, 0);

  const other = startCtl(home, "login", server.url, "--insecure-plaintext", "--name", "stranger");
  const [, second = ""] = await other.says(/#approve=(\S+)\n/);
  await page.getByRole("tab", { name: "Hosts" }).click();
  await page.getByRole("button", { name: "Approve a login" }).click();
  await dialog.getByLabel("Code of the login").fill(second.toLowerCase());
  await dialog.getByRole("button", { name: "Look" }).click();
  await dialog.getByText(/stranger asked/).waitFor();
  await dialog.getByRole("button", { name: "Refuse" }).click();
  await dialog.getByText("stranger is not let in.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  const { code: exit, stderr } = await other.ended;
  assert.equal(exit, 125);
  assert.match(stderr, /This login was refused/);
});

test("who has no right over whole hosts is offered none of it", async () => {
  const { server } = fleet;
  const may = async (name: string, rights: string[], nodes?: string[]) => {
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", { name, rights, ...(nodes && { nodes }) });
    const guest = await openAs(token);
    try {
      const known = guest.page.waitForResponse(/whoami/);
      await visit(guest.page, server.url);
      await guest.page.getByRole("tab", { name: "Hosts" }).click();
      await guest.page.getByRole("article", { name: "box-5" }).waitFor();
      await known;
      assert.equal(await guest.page.locator("th", { hasText: "CPU" }).count(), 0);
      return await guest.page.getByRole("tabpanel", { name: "Hosts" }).getByRole("button").allTextContents();
    } finally {
      await guest.close();
    }
  };
  const host = new TestHost(server.url);
  const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "box-5" });
  await host.bootstrap(token, { hostShell: "root" });
  await host.beat();
  assert.deepEqual(await may("looks", ["list", "exec"]), []);
  assert.deepEqual(await may("works", ["list", "host-shell"], ["box-5"]), ["Shell"]);
});

test("nothing on the page broke the content policy", () => {
  assert.deepEqual(
    fleet.complaints.filter((words) => !/Failed to load resource|WebSocket connection/.test(words)),
    [],
  );
});
