/** A followed log on the page. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../support/until.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const LOGGER = "page-logger";
/** Writes a tail, then a red word with an escape sequence, a line of errors, and whatever it is told through a pipe. */
const LOGGING = `mkfifo /in; exec 3<>/in
i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "old $i"; done
read -r go <&3; printf '\\033[31mred\\033[0m \\033]0;x\\007\\n'; echo oops >&2
while read -r said <&3; do
  if [ "$said" = flood ]; then seq 1 60000; fi
  echo "got $said"
done`;

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    await engine.run(LOGGER, { command: ["sh", "-c", LOGGING] });
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [LOGGER]);
});

test("a followed log shows new lines, marks errors, hides nothing, and holds still when scrolled up", async () => {
  const { page } = setup;
  const say = (text: string) => setup.engine.docker("exec", LOGGER, "sh", "-c", 'echo "$0" > /in', text);
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `Log of ${LOGGER}` }).click();
  const panel = page.getByRole("tabpanel", { name: `Log: ${LOGGER}` });
  const line = (text: string) => panel.locator("li", { hasText: text });
  await line("old 3000").waitFor();
  await say("go");
  await line("oops").waitFor();
  assert.equal(
    await panel.locator("li span").getByText("red", { exact: true }).getAttribute("style"),
    "color: var(--ansi-1);",
  );
  await panel.getByText("␛]0;x␇").waitFor();
  assert.match((await line("oops").getAttribute("class")) ?? "", /stderr/);

  await panel.getByRole("region").hover();
  await page.mouse.wheel(0, -5_000);
  await panel.getByText("Paused").waitFor();
  const first = async () => (await panel.locator("li").allTextContents())[0] ?? "";
  let top = "";
  const stays = async () => {
    const before = top;
    top = await first();
    return top === before;
  };
  await until("the end of the scrolling", stays, { every: 200 });
  await say("later");
  await panel.getByRole("button", { name: "Follow (1 new)" }).waitFor();
  assert.equal(await first(), top);
  await panel.getByRole("button", { name: "Follow (1 new)" }).click();
  await line("got later").waitFor();

  await panel.getByLabel("Filter lines").fill("old 29");
  await until("the filtered lines", async () =>
    (await panel.locator("li").allTextContents()).every((text) => text.includes("old 29")),
  );
  await panel.getByLabel("Filter lines").fill("never said");
  await panel.getByText("None matches.").waitFor();
  await panel.getByLabel("Filter lines").fill("");

  await say("flood");
  await line("got flood").waitFor();
  await panel.getByText(/^Of this log \d+ older lines are not kept here/).waitFor();
  await setup.engine.docker("kill", LOGGER);
  await panel.getByText("The log has ended").waitFor();
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});
