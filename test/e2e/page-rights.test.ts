/** What the page offers to whom: an administrator where the host's shell is configured, and somebody who may only look. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newSecret } from "../../src/auth/secret.ts";
import { until } from "../support/until.ts";
import { openAs, prompt, screen, useHostShell, visit } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const SHELL = "page-rights-shell";
const TOKEN = newSecret();
const GRANTS = [{ name: "guest", token: TOKEN, rights: ["list", "attach-ro"] }];

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => void (await engine.run(SHELL, { args: ["-i", "-t"], command: ["sh"] })), {
    FAIRLEAD_HOST_SHELL: "true",
    FAIRLEAD_GRANTS: JSON.stringify(GRANTS),
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [SHELL]);
});

test("a shell on the host is opened from the list, ended after a yes, and had anew", async () => {
  const { page } = setup;
  await page.getByRole("button", { name: /^Shell on / }).click();
  const panel = page.getByRole("tabpanel", { name: /^Shell: / });
  await useHostShell(page, panel);
  await panel.getByRole("button", { name: "New shell" }).click();
  await prompt(panel);
  await page.keyboard.type("echo ag''ain\n");
  await until("another answer", async () => (await screen(panel)).includes("again"));
  await page.getByRole("button", { name: /^Close Shell: / }).click();
  await page.getByRole("dialog", { name: /^End the shell on / }).waitFor();
  await page.getByRole("button", { name: "End it" }).click();
  await panel.waitFor({ state: "detached" });
});

test("who may only look is offered that and nothing else, and what he types goes nowhere", async () => {
  const guest = await openAs(TOKEN);
  const { page, complaints } = guest;
  try {
    const size = () => setup.engine.docker("exec", SHELL, "stty", "-F", "/dev/pts/0", "size");
    const before = await size();
    await visit(page, setup.agent.url);
    const row = page.locator(`tr[data-name="${SHELL}"]`);
    await row.getByText("running").waitFor();
    assert.deepEqual(await row.getByRole("button").allTextContents(), ["⋯"]);
    assert.equal(await page.getByRole("button", { name: /^Shell on / }).count(), 0);
    await row.getByRole("button", { name: `More for ${SHELL}` }).click();
    await page.getByRole("menuitem").first().waitFor();
    assert.deepEqual(await page.getByRole("menuitem").allTextContents(), ["Attach"]);
    await page.getByRole("menuitem", { name: "Attach" }).click();
    const panel = page.getByRole("tabpanel", { name: `Attached: ${SHELL}` });
    await panel.getByText("Read-only: you may look, not type.").waitFor();
    await panel.getByRole("button", { name: "Detach" }).waitFor();
    await page.keyboard.type("exit 9\n");
    await page.setViewportSize({ width: 700, height: 500 });
    assert.equal(await size(), before);
    // Whoever may type is heard after that, and seen by who only looks.
    const admin = await attached();
    await admin.keyboard.type("echo he''ard\n");
    await until("what another one typed", async () => (await screen(panel)).some((line) => line.endsWith("heard")));
    assert.ok(!(await screen(panel)).some((line) => line.includes("exit")));
    assert.deepEqual(complaints, []);
  } finally {
    await guest.close();
  }
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

/** The administrator at the same main process. */
async function attached() {
  const { page } = setup;
  await page.getByRole("button", { name: `More for ${SHELL}` }).click();
  await page.getByRole("menuitem", { name: "Attach" }).click();
  await page.getByRole("button", { name: "Detach" }).waitFor();
  return page;
}
