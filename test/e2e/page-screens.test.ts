/** Full-screen programs on the page, compared row by row with a tmux around the engine's own client; and a flood. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { dockerCli } from "../support/docker-client.ts";
import { until } from "../support/until.ts";
import { closeTerminal, openShell, screen, WIDE } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";
import { type Size, startTmux, type Tmux } from "./page/tmux.ts";
import { addTools } from "./page/tools.ts";

/** Twins, one for the page and one for tmux. */
const TWINS = ["page-twin-a", "page-twin-b"] as const;
const [MINE, OTHER] = TWINS;
/** Keys that are pressed by name; everything else is typed. */
const NAMED: readonly string[] = ["Enter", "Escape", "F1"];
/** Milliseconds of the flood, and the most that Ctrl-C and any other event may wait in it; a page that freezes waits for its end. */
const FLOOD_MS = 20_000;
const PROMPT_MS = 8_000;
const FROZEN_MS = 8_000;

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    for (const twin of TWINS) {
      await engine.run(twin, { args: ["--hostname", "twin"] });
      await addTools(engine, twin);
    }
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [...TWINS]);
});

/** What is typed into the shell, and what is then to be seen on both screens. */
const HTOP: [key: string, sight: RegExp][] = [
  ["htop", /htop$/],
  ["Enter", /F10Quit/],
  ["F1", /Hisham Muhammad/],
  ["Escape", /F10Quit/],
];
const VI: [key: string, sight: RegExp][] = [
  ["vim.tiny /root/text", /text$/],
  ["Enter", /200 lines/],
  ["/line 150", /^\/line 150/],
  ["Enter", /^line 150:/],
  ["dd", /^line 151:/],
  ["o", /^line 151:/],
  ["hello  world", /^hello  world$/],
  ["Escape", /^hello  world$/],
  ["zt", /^hello  world$/],
];

for (const [name, steps, last] of [
  ["htop", HTOP, /F10Quit/],
  ["vi", VI, /^hello  world$/],
] as const) {
  test(`${name} shows what it shows in tmux, before and after the window changes its size`, async () => {
    const { page } = setup;
    const panel = await openShell(page, MINE);
    const tmux = await startTmux(dockerExec(OTHER), await sizeOf(panel));
    try {
      await sameScreens([panel, tmux], /^bash.*#$/);
      for (const [key, sight] of steps) {
        await (NAMED.includes(key) ? page.keyboard.press(key) : page.keyboard.type(key));
        await tmux.keys(key);
        await sameScreens([panel, tmux], sight);
      }
      await page.setViewportSize({ width: WIDE.width - 200, height: WIDE.height - 100 });
      await until("a smaller screen", async () => (await screen(panel)).length < (await tmux.screen()).length);
      await tmux.resize(await sizeOf(panel));
      await sameScreens([panel, tmux], last);
    } finally {
      await tmux.close();
      await page.setViewportSize(WIDE);
      await closeTerminal(page, MINE);
    }
  });
}

test("a flood neither freezes the page nor delays Ctrl-C", async (t) => {
  const { page } = setup;
  const panel = await openShell(page, MINE);
  await page.evaluate(
    "(() => { let last = performance.now(); globalThis.longest = 0; const look = () => { const now = performance.now(); globalThis.longest = Math.max(globalThis.longest, now - last); last = now; setTimeout(look); }; look(); })()",
  );
  await page.keyboard.type("yes\n");
  await until("a screen full of y", async () => (await screen(panel)).every((row) => row === "y" || row === ""));
  const flooded = performance.now();
  await until("the end of the flood", async () => performance.now() - flooded > FLOOD_MS);
  const pressed = performance.now();
  await page.keyboard.press("Control+c");
  await until("the prompt", async () => (await screen(panel)).some((row) => /[#$]$/.test(row)));
  const delay = performance.now() - pressed;
  const longest = await page.evaluate<number>("globalThis.longest");
  t.diagnostic(`Ctrl-C took ${Math.round(delay)} ms, the longest wait was ${Math.round(longest)} ms`);
  assert.ok(delay < PROMPT_MS, `Ctrl-C took ${delay} ms`);
  assert.ok(longest < FROZEN_MS, `the page stood still for ${longest} ms`);
  await closeTerminal(page, MINE);
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

/** What the terminal in the container itself says its size is, once it is what the page shows. */
async function sizeOf(panel: Locator): Promise<Size> {
  let size: Size = { cols: 0, rows: 0 };
  await until("the page's size in the container", async () => {
    const answer = await setup.engine.docker("exec", MINE, "stty", "-F", "/dev/pts/0", "size");
    const [rows = 0, cols = 0] = answer.trim().split(" ").map(Number);
    size = { cols, rows };
    return rows === (await screen(panel)).length;
  });
  return size;
}

/** The same shell by the engine's own client. */
function dockerExec(container: string): string[] {
  const shell = ["/bin/sh", "-c", "exec bash"];
  return [dockerCli, "--host", setup.engine.host, "exec", "-it", "-e", "TERM=xterm-256color", container, ...shell];
}

/** Waits until both show the same with this among it; if they do not, the difference is the failure. */
async function sameScreens([panel, tmux]: [Locator, Tmux], sight: RegExp): Promise<void> {
  let mine: string[] = [];
  let theirs: string[] = [];
  const same = async () => {
    [mine, theirs] = await Promise.all([screen(panel), tmux.screen()]);
    return mine.some((row) => sight.test(row)) && mine.join("\n") === theirs.join("\n");
  };
  try {
    await until(`${sight} on the same screens`, same);
  } catch (error) {
    assert.deepEqual(mine, theirs);
    throw new Error(`Both show the same, but not that:\n${mine.join("\n")}`, { cause: error });
  }
}
