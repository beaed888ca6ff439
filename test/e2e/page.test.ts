/** The page in a real browser against a real agent and engine: what a person sees and types, and how it compares with a terminal. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { dockerCli, type Engine, sharedEngine } from "../support/engine.ts";
import { type Browser, closeTerminal, newCode, openBrowser, openShell, screen, signIn, until } from "./page/browser.ts";
import { startTmux, type Size, type Tmux } from "./page/tmux.ts";
import { addTools } from "./page/tools.ts";

/** Two twins: what runs in one shows the same process ids as in the other. */
const TWINS = ["page-twin-a", "page-twin-b"] as const;
const LATE = "page-late";
const LOGGER = "page-logger";

/** Writes a tail, then a red word with an escape sequence, a line of errors, and whatever it is told through a pipe. */
const LOGGING = `mkfifo /in; exec 3<>/in
i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "old $i"; done
read -r go <&3; printf '\\033[31mred\\033[0m \\033]0;x\\007\\n'; echo oops >&2
while read -r said <&3; do echo "got $said"; done`;

/** Milliseconds of the flood, and the most that Ctrl-C and any other event may wait in it. */
const FLOOD_MS = 10_000;
const PROMPT_MS = 2_000;
const FROZEN_MS = 500;

const WIDE = { width: 1100, height: 700 };
/** Keys that are pressed by name; everything else is typed. */
const NAMED: readonly string[] = ["Enter", "Escape", "F1"];

let engine: Engine;
let agent: TestAgent;
let browser: Browser;

before(async () => {
  engine = await sharedEngine();
  for (const twin of TWINS) {
    await engine.run(twin, { args: ["--hostname", "twin"] });
    await addTools(engine, twin);
  }
  agent = await startAgent({ engine });
  browser = await openBrowser();
  await signIn(browser.page, agent);
});

after(async () => {
  await browser?.close();
  await agent?.stop();
  await engine?.docker("rm", "--force", ...TWINS, LATE, LOGGER).catch(() => {});
});

test("a wrong code is refused in words and a right one signs in, though the link fills it in", async () => {
  const other = await openBrowser();
  const { page } = other;
  try {
    await page.goto(`${agent.url}#code=AAAA-BBBB-CCCC`);
    assert.equal(await page.getByLabel("One-time code").inputValue(), "AAAA-BBBB-CCCC");
    assert.equal(new URL(page.url()).hash, "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("wrong").waitFor();
    await page.getByLabel("One-time code").fill(await newCode(agent));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("tab", { name: "Containers" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await page.reload();
    await page.getByLabel("One-time code").waitFor();
  } finally {
    await other.close();
  }
});

test("the list changes by itself when a container starts, stops and is removed", async () => {
  const { page } = browser;
  await page.getByRole("tab", { name: "Containers" }).click();
  const row = page.locator(`tr[data-name="${LATE}"]`);
  await engine.run(LATE);
  await row.getByText("running").waitFor();
  await engine.docker("stop", LATE);
  await row.getByText("exited").waitFor();
  assert.ok(await row.getByRole("button", { name: "Terminal" }).isDisabled());
  await engine.docker("rm", LATE);
  await row.waitFor({ state: "detached" });
});

test("a shell answers, its size follows the window, and its exit code is shown with a way to run it again", async () => {
  const { page } = browser;
  const panel = await openShell(page, TWINS[0]);
  await page.keyboard.type("echo $((6*7))-$0\n");
  await until(async () => (await screen(panel)).includes("42-bash"), "the answer of bash");
  const before = await askSize(panel, "one");
  assert.equal(before.rows, (await screen(panel)).length);
  await page.setViewportSize({ width: 800, height: 500 });
  await until(async () => (await screen(panel)).length < before.rows, "a smaller screen");
  const smaller = await askSize(panel, "two");
  assert.ok(smaller.cols < before.cols && smaller.rows < before.rows);
  assert.equal(smaller.rows, (await screen(panel)).length);
  await page.setViewportSize(WIDE);
  await page.keyboard.type("exit 3\n");
  await panel.getByText("Ended with exit code 3.").waitFor();
  await panel.getByRole("button", { name: "Run again" }).click();
  await until(async () => (await screen(panel)).some((row) => /[#$]$/.test(row)), "a new prompt");
  await closeTerminal(page, TWINS[0]);
});

for (const [program, ...keys] of [
  ["htop", "Enter", "F1"],
  ["vim.tiny /root/text", "Enter", "/line 150", "Enter", "dd", "o", "hello  world", "Escape", "zz"],
] as const) {
  test(`${program} shows what it shows in tmux, before and after the window changes its size`, async () => {
    const { page } = browser;
    const panel = await openShell(page, TWINS[0]);
    const tmux = await startTmux(dockerExec(TWINS[1]), await sizeOf(panel));
    try {
      await sameScreens(panel, tmux);
      for (const key of [program, ...keys]) {
        await (NAMED.includes(key) ? page.keyboard.press(key) : page.keyboard.type(key));
        await tmux.keys(key);
        await sameScreens(panel, tmux);
      }
      await page.setViewportSize({ width: WIDE.width - 200, height: WIDE.height - 100 });
      await until(async () => (await screen(panel)).length < (await tmux.screen()).length, "a smaller screen");
      await tmux.resize(await sizeOf(panel));
      await sameScreens(panel, tmux);
    } finally {
      await tmux.close();
      await page.setViewportSize(WIDE);
      await closeTerminal(page, TWINS[0]);
    }
  });
}

test("a flood neither freezes the page nor delays Ctrl-C", async () => {
  const { page } = browser;
  const panel = await openShell(page, TWINS[0]);
  await page.evaluate(
    "(() => { let last = performance.now(); globalThis.longest = 0; const look = () => { const now = performance.now(); globalThis.longest = Math.max(globalThis.longest, now - last); last = now; setTimeout(look); }; look(); })()",
  );
  await page.keyboard.type("yes\n");
  await until(async () => (await screen(panel)).every((row) => row === "y" || row === ""), "a screen full of y");
  const flooded = performance.now();
  await until(async () => performance.now() - flooded > FLOOD_MS, "the end of the flood");
  const pressed = performance.now();
  await page.keyboard.press("Control+c");
  await until(async () => (await screen(panel)).some((row) => /[#$]$/.test(row)), "the prompt");
  const delay = performance.now() - pressed;
  const longest = await page.evaluate<number>("globalThis.longest");
  assert.ok(delay < PROMPT_MS, `Ctrl-C took ${delay} ms`);
  assert.ok(longest < FROZEN_MS, `the page stood still for ${longest} ms`);
  await closeTerminal(page, TWINS[0]);
});

test("a followed log shows new lines, marks errors, hides nothing, and holds still when scrolled up", async () => {
  const { page } = browser;
  await engine.run(LOGGER, { command: ["sh", "-c", LOGGING] });
  const say = (text: string) => engine.docker("exec", LOGGER, "sh", "-c", 'echo "$0" > /in', text);
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
  const [top] = await panel.locator("li").allTextContents();
  await say("later");
  await panel.getByRole("button", { name: "Follow (1 new)" }).waitFor();
  assert.deepEqual((await panel.locator("li").allTextContents())[0], top);
  await panel.getByRole("button", { name: "Follow (1 new)" }).click();
  await line("got later").waitFor();

  await panel.getByLabel("Filter lines").fill("old 29");
  await until(
    async () => (await panel.locator("li").allTextContents()).every((text) => text.includes("old 29")),
    "the filter",
  );
  await engine.docker("kill", LOGGER);
  await panel.getByText("The log has ended").waitFor();
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(browser.complaints, []);
});

/** What the terminal in the container itself says its size is, once it is what the page shows. */
async function sizeOf(panel: Locator): Promise<Size> {
  let size: Size = { cols: 0, rows: 0 };
  await until(async () => {
    const answer = await engine.docker("exec", TWINS[0], "stty", "-F", "/dev/pts/0", "size");
    const [rows = 0, cols = 0] = answer.trim().split(" ").map(Number);
    size = { cols, rows };
    return rows === (await screen(panel)).length;
  }, "the page's size in the container");
  return size;
}

/** The size as a program in the shell is told it. */
async function askSize(panel: Locator, mark: string): Promise<Size> {
  await browser.page.keyboard.type(`echo ${mark}:$(stty size)\n`);
  const answer = new RegExp(`^${mark}:(\\d+) (\\d+)$`);
  let size: Size = { cols: 0, rows: 0 };
  await until(async () => {
    const [, rows, cols] = (await screen(panel)).map((row) => answer.exec(row)).find((match) => match) ?? [];
    size = { cols: Number(cols), rows: Number(rows) };
    return rows !== undefined;
  }, "the size");
  return size;
}

/** The same shell by the engine's own client. */
function dockerExec(container: string): string[] {
  const shell = ["/bin/sh", "-c", "exec bash"];
  return [dockerCli, "--host", engine.host, "exec", "-it", "-e", "TERM=xterm-256color", container, ...shell];
}

/** Both settle on the same rows; if not, the difference is the failure. */
async function sameScreens(panel: Locator, tmux: Tmux): Promise<void> {
  const same = async () => (await screen(panel)).join("\n") === (await tmux.screen()).join("\n");
  await until(same, "the same screen").catch(() => {});
  assert.deepEqual(await screen(panel), await tmux.screen());
}
