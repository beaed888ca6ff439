/** What the server's page has for those who run a fleet, in a real browser: events, the audit log, tokens, settings of hosts. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { NodeView } from "../../src/protocol/node.ts";
import { openAs, visit } from "./page/browser.ts";
import { type FleetPage, openFleetPage } from "./page/fleet.ts";

let fleet: FleetPage;

before(async () => {
  fleet = await openFleetPage();
  await fleet.server.post("/api/v1/nodes", { name: "box-1" });
  await fleet.server.post("/api/v1/nodes", { name: "box-2" });
});

after(() => fleet?.close());

const open = (name: string) => fleet.page.getByRole("tab", { name, exact: true }).click();
const panel = (name: string) => fleet.page.getByRole("tabpanel", { name, exact: true });
const rows = (name: string) => panel(name).locator("tbody tr");
const node = (name: string) => fleet.server.json<NodeView>(`/api/v1/nodes/${name}`);

test("events stand the newest first, come by themselves, and can be narrowed", async () => {
  await open("Events");
  await rows("Events").first().getByText("The host box-2 was added").waitFor();
  assert.equal(await rows("Events").count(), 2);
  await fleet.server.post("/api/v1/nodes", { name: "box-3" });
  await rows("Events").first().getByText("The host box-3 was added").waitFor();
  await panel("Events").getByLabel("Filter events").fill("added box-1");
  await rows("Events").nth(1).waitFor({ state: "detached" });
  assert.match((await rows("Events").first().textContent()) ?? "", /box-1NodeAdded/);
  await panel("Events").getByLabel("Filter events").fill("nothing of that kind");
  await panel("Events").getByText("None matches.").waitFor();
});

test("beside a host with a long name no other column breaks its words", async () => {
  const name = `host.${"with-a-long-name.".repeat(8)}example`;
  await fleet.server.post("/api/v1/nodes", { name });
  await open("Events");
  await panel("Events").getByLabel("Filter events").fill("");
  for (const [tab, word] of [
    ["Events", "NodeAdded"],
    ["Audit", "Outcome"],
  ] as const) {
    await open(tab);
    await rows(tab).filter({ hasText: name }).first().waitFor();
    const cell = panel(tab).getByText(word, { exact: true }).first();
    assert.equal(await cell.evaluate(lines), 1, word);
  }
  await fleet.server.fetch(`/api/v1/nodes/${name}`, { method: "DELETE" });
});

test("a token is made with rights, hosts and an end, shown once, listed, and good for nothing once it is withdrawn", async () => {
  const { page, server } = fleet;
  await page.route("**/api/v1/tokens", (route) => route.abort());
  await open("Tokens");
  const again = panel("Tokens").getByRole("button", { name: "Try again" });
  await again.waitFor();
  await page.unroute("**/api/v1/tokens");
  await again.click();
  await panel("Tokens").getByText("There is no token.").waitFor();
  await panel("Tokens").getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog", { name: "New token" });
  await dialog.getByLabel("Name of the token").fill("ci at night");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByText(/name, which must be letters, digits and/).waitFor();
  await dialog.getByLabel("Name of the token").fill("ci");
  await dialog.getByRole("checkbox", { name: /^exec / }).check();
  await dialog.getByRole("checkbox", { name: /^inspect / }).uncheck();
  await dialog.getByLabel("Hosts", { exact: true }).fill("box-1, box-2");
  await dialog.getByLabel("Containers", { exact: true }).fill("team");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByText(/"team" is no choice of containers/).waitFor();
  await dialog.getByLabel("Containers", { exact: true }).fill("team=web,tier=db team=ops");
  await dialog.getByLabel("Good for").selectOption("A week");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByText(/shown this once/).waitFor();
  const token = (await dialog.locator("pre").textContent()) ?? "";
  await dialog.getByRole("button", { name: "Copy" }).click();
  await dialog.getByText("Copied.").waitFor();
  // This browser cannot be told to refuse it.
  await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))");
  await dialog.getByRole("button", { name: "Copy" }).click();
  await dialog.getByText("The browser does not allow that").waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  const asked = () => fetch(`${server.url}/api/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
  assert.partialDeepStrictEqual(await (await asked()).json(), {
    subject: "token:ci",
    rights: ["list", "logs", "exec"],
    nodes: ["box-1", "box-2"],
    scopes: [{ team: "web", tier: "db" }, { team: "ops" }],
  });
  const row = panel("Tokens").locator('tr[data-name="ci"]');
  await row.getByText("in 6d").waitFor();
  assert.match((await row.textContent()) ?? "", /list, logs, exec.*box-1, box-2.*team=web,tier=db or team=ops/);
  assert.equal((await panel("Tokens").textContent())?.includes(token), false);
  await row.getByRole("button", { name: "Withdraw ci" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw", exact: true }).click();
  await row.waitFor({ state: "detached" });
  await panel("Tokens").locator("button:focus", { hasText: "New token" }).waitFor();
  assert.equal((await asked()).status, 401);
});

test("the audit log tells who changed what, goes on by itself, and is asked for one caller", async () => {
  const { server } = fleet;
  await open("Audit");
  await rows("Audit").getByText("change tokens remove").waitFor();
  const { token } = await server.post<{ token: string }>("/api/v1/tokens", { name: "robot", rights: ["admin"] });
  await rows("Audit").first().getByText("robot").waitFor();
  const headers = { authorization: `Bearer ${token}` };
  await fetch(`${server.url}/api/v1/nodes/box-3/disable`, { method: "POST", headers });
  await rows("Audit").first().getByText("change nodes disable").waitFor();
  await panel("Audit").getByLabel("Who", { exact: true }).fill("token:robot");
  await panel("Audit").getByLabel("Who", { exact: true }).press("Enter");
  await rows("Audit").nth(1).waitFor({ state: "detached" });
  assert.match(
    (await rows("Audit").first().textContent()) ?? "",
    /token:robot 127\.0\.0\.1 http.*nodes disable.*box-3/,
  );
  await panel("Audit").getByLabel("Who", { exact: true }).fill("token:nobody");
  await panel("Audit").getByLabel("Who", { exact: true }).press("Enter");
  await panel("Audit").getByText("There is no such record.").waitFor();
  await panel("Audit").getByLabel("Whose records").selectOption("box-1");
  await panel("Audit").getByText("The agent of box-1 is not connected to the server now.").waitFor();
});

test("a host's settings are changed, refused where they make no sense, and taken back to the server's", async () => {
  const { page } = fleet;
  await open("Hosts");
  await page.getByLabel("Filter hosts").fill("box-1 pending");
  await page.getByRole("article", { name: "box-2" }).waitFor({ state: "detached" });
  const settings = page.getByRole("dialog", { name: "Settings of box-1" });
  const reports = settings.getByLabel("Reports every");
  const save = () => settings.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Settings of box-1" }).click();
  await settings.getByText("now 1s").waitFor();
  assert.equal(await reports.inputValue(), "");
  await reports.fill("often");
  await save();
  await settings.getByText('Reports every: "often" is no duration from 1s to 24h.').waitFor();
  await reports.fill("1ms");
  await save();
  await settings.getByText('Reports every: "1ms" is no duration').waitFor();
  await reports.fill("1m30s");
  await settings.getByLabel("Figures of GPUs").selectOption("off");
  await save();
  await settings.waitFor({ state: "detached" });
  const changed = (await node("box-1")).settings;
  assert.deepEqual([changed.heartbeatInterval, changed.gpuMetrics, changed.containerMetrics], [90_000, false, true]);
  await page.getByRole("button", { name: "Settings of box-1" }).click();
  await settings.getByText("now 1m30s").waitFor();
  assert.equal(await reports.inputValue(), "1m30s");
  await reports.fill("");
  await save();
  await settings.waitFor({ state: "detached" });
  assert.deepEqual((await node("box-1")).ownSettings, ["gpuMetrics"]);
  assert.equal((await node("box-1")).settings.heartbeatInterval, 1_000);
});

test("who is no administrator has neither audit nor tokens nor settings, and sees the events of his hosts", async () => {
  const { server } = fleet;
  const wish = { name: "guest", rights: ["list"], nodes: ["box-2"] };
  const guest = await openAs((await server.post<{ token: string }>("/api/v1/tokens", wish)).token);
  try {
    const { page } = guest;
    const known = page.waitForResponse(/whoami/);
    await visit(page, server.url);
    await known;
    await page.getByRole("tab", { name: "Events" }).click();
    const all = page.getByRole("tabpanel", { name: "Events" }).locator("tbody tr");
    await all.getByText("The host box-2 was added").waitFor();
    assert.equal(await all.count(), 1);
    assert.deepEqual(await page.getByRole("tab").allTextContents(), ["Hosts", "Containers", "Events"]);
    await page.getByRole("tab", { name: "Hosts" }).click();
    await page.getByRole("article", { name: "box-2" }).waitFor();
    assert.equal(await page.getByRole("button", { name: /^Settings of/ }).count(), 0);
    assert.deepEqual(guest.complaints, []);
  } finally {
    await guest.close();
  }
});

test("nothing on the page broke the content policy", () => {
  assert.deepEqual(
    fleet.complaints.filter((words) => !/Failed to load resource/.test(words)),
    [],
  );
});

/** In the browser: what the words of an element stand in. */
interface Words {
  ownerDocument: { createRange(): { selectNodeContents(of: object): void; getClientRects(): { length: number } } };
}

function lines(element: Words): number {
  const words = element.ownerDocument.createRange();
  words.selectNodeContents(element);
  return words.getClientRects().length;
}
