/** What containers are and use, in the list and in a tab of their own; found by a filter, also on a phone. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { until } from "../support/until.ts";
import { WIDE } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

/** Of a project, never idle, and described in markup. */
const BUSY = "page-busy";
const IDLE = "page-idle";
const LONG = `page-${"long".repeat(20)}`;
const MARKUP = "<img src=x onerror=document.title='broken'>";
const SECRET = "hunter2-of-the-page";
const PHONE = { width: 390, height: 780 };

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    const labels = [`note=${MARKUP}`, "com.docker.compose.project=shop", "com.docker.compose.service=till"];
    await engine.run(BUSY, {
      args: [
        ...labels.flatMap((label) => ["--label", label]),
        "--env",
        `SECRET=${SECRET}`,
        "--volume",
        "/tmp:/data:ro",
      ],
      command: ["sh", "-c", `: '${MARKUP}'; while :; do :; done`],
    });
    await engine.run(IDLE);
    await engine.run(LONG);
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [BUSY, IDLE, LONG]);
});

test("the list shows what each container uses, as it changes", async () => {
  const [cpu, memory] = [row(BUSY).locator(".usage").nth(0), row(BUSY).locator(".usage").nth(1)];
  await until("a busy processor", async () => Number.parseFloat((await cpu.textContent()) ?? "") > 5);
  assert.match((await memory.textContent()) ?? "", /^[\d.]+[KM]iB$/);
  const before = await cpu.textContent();
  await until("another figure", async () => (await cpu.textContent()) !== before);
});

test("a filter finds containers by name, image, state and project, under the heading of their project", async () => {
  const { page } = setup;
  const filter = page.getByLabel("Filter containers");
  for (const [words, found] of [
    ["page-bus", [BUSY]],
    ["shop", [BUSY]],
    ["busybox running page-", [BUSY, IDLE, LONG]],
    ["page- exited", []],
  ] as const) {
    await filter.fill(words);
    const names = () =>
      page.locator("tr.container").evaluateAll((rows) => rows.map((each) => each.getAttribute("data-name")));
    await until(`the rows of "${words}"`, async () => (await names()).join() === found.join());
  }
  await page.getByText("matches “page- exited”").waitFor();
  await filter.fill("till");
  await page.getByRole("rowheader", { name: "shop 1 container" }).waitFor();
  await filter.fill("");
});

test("a container's own tab says what it is in words, with its figures drawn, and nothing that is hidden elsewhere", async () => {
  const { page } = setup;
  const panel = await details(BUSY);
  for (const words of [MARKUP, "com.docker.compose.project", "/tmp", "bind, read-only", "shop / till"])
    await panel
      .getByText(words, { exact: words !== MARKUP })
      .first()
      .waitFor();
  await panel.getByText("busybox", { exact: true }).waitFor();
  assert.equal(await panel.locator("img").count(), 0);
  assert.ok(!(await page.content()).includes(SECRET));
  const chart = panel.getByRole("img", { name: /^CPU: \d/ });
  const points = async () => (await chart.locator("path").getAttribute("d"))?.split(/[ML]/).length ?? 0;
  await until("three samples in a line", async () => (await points()) > 3);
  await panel.getByText(/^Since it started: .* received/).waitFor();
});

test("what happens to a container is seen in its tab, and that it is gone", async () => {
  const { page } = setup;
  const panel = await details(IDLE);
  await panel.getByRole("img", { name: /^Memory: \d/ }).waitFor();
  await panel.getByRole("button", { name: `More for ${IDLE}` }).click();
  await page.getByRole("menuitem", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await panel.getByText(/^exited: Exited \(137\)/).waitFor();
  await panel.getByRole("img", { name: /^Memory/ }).waitFor({ state: "detached" });
  await setup.engine.docker("rm", IDLE);
  await panel.getByText("This container is not there any more.").waitFor();
});

test("on a phone nothing is wider than the screen, and the tab that is shown is seen up to what closes it", async () => {
  const { page } = setup;
  await page.setViewportSize(PHONE);
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `Details of ${LONG}` }).click();
  const close = page.getByRole("button", { name: `Close Details: ${LONG}` });
  await until("what closes the tab", async () => {
    const { x, width } = (await close.boundingBox()) ?? { x: 0, width: PHONE.width };
    return x + width <= PHONE.width;
  });
  for (const tab of ["Containers", `Details: ${BUSY}`, `Details: ${LONG}`]) {
    await page.getByRole("tab", { name: tab }).click();
    const panel = page.getByRole("tabpanel", { name: tab });
    const tooWide = () =>
      panel
        .locator("> div")
        .evaluate((view: { scrollWidth: number; clientWidth: number }) => view.scrollWidth - view.clientWidth);
    await until(`room for ${tab}`, async () => (await tooWide()) === 0);
  }
  await page.setViewportSize(WIDE);
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

function row(name: string): Locator {
  return setup.page.locator(`tr[data-name="${name}"]`);
}

async function details(name: string): Promise<Locator> {
  const { page } = setup;
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `Details of ${name}` }).click();
  return page.getByRole("tabpanel", { name: `Details: ${name}` });
}
