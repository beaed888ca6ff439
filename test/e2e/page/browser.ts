/** A real Chromium with one page, and everything that the page complains about. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TestAgent } from "../../support/agent.ts";
import { type BrowserContext, chromium, type Locator, type Page, type Request, type Response } from "playwright-core";
import { until } from "../../support/until.ts";

/** No traffic of the browser's own, and no sandbox: the tests run as root. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const EXECUTABLE = "/usr/bin/chromium";
/** How the browser drops what it loads when the machine's network changes, as it does with each container that starts. */
const NETWORK_CHANGED = /net::ERR_NETWORK_CHANGED/;
/** The size of the window until a test changes it. */
export const WIDE = { width: 1100, height: 700 };
/** Milliseconds to wait for anything to appear. */
const PATIENCE_MS = 20_000;
/** To load a page, and the milliseconds between them. */
const TRIES = 5;
const AGAIN_MS = 200;

export interface Browser {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console, breaches of the content policy, exceptions; not what the network did meanwhile. */
  complaints: string[];
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** Takes any certificate, as a person does who clicks the warning away. */
  anyCertificate?: boolean;
}

export async function openBrowser({ anyCertificate = false }: BrowserOptions = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "fl-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    args: FLAGS,
    viewport: WIDE,
    ignoreHTTPSErrors: anyCertificate,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective, e.blockedURI))",
  );
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type()) || NETWORK_CHANGED.test(message.text())) return;
    complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  };
  return { context, page, complaints, close };
}

/** An agent or a server. */
export type Front = Pick<TestAgent, "url" | "fetch">;

/** Loads a page, all of it: again where the network changed meanwhile. Gives the last answer, as `goto` does. */
export async function visit(page: Page, url: string): Promise<Response | null> {
  return whole(page, url, () => page.goto(url));
}

/** Loads what it shows once more, as {@link visit} does. */
export async function reload(page: Page): Promise<Response | null> {
  return whole(page, page.url(), () => page.reload());
}

async function whole(page: Page, url: string, load: () => Promise<Response | null>): Promise<Response | null> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const loaded = await unchanged(page, load);
    if (loaded) return loaded.response;
    // The browser shows a page of its own first, and gives up what is loaded meanwhile.
    await delay(AGAIN_MS);
  }
  throw new Error(`${url} was tried ${TRIES} times, and the network changed each time`);
}

/** Nothing where the network changed meanwhile. */
async function unchanged(
  page: Page,
  load: () => Promise<Response | null>,
): Promise<{ response: Response | null } | undefined> {
  let changed = false;
  const note = (request: Request) => (changed ||= NETWORK_CHANGED.test(request.failure()?.errorText ?? ""));
  page.on("requestfailed", note);
  try {
    const response = await load();
    return changed ? undefined : { response };
  } catch (error) {
    if (!changed) throw error;
    return undefined;
  } finally {
    page.off("requestfailed", note);
  }
}

/** Signs in with a fresh code, typed by hand. */
export async function signIn(page: Page, agent: Front): Promise<void> {
  await visit(page, agent.url);
  await page.getByLabel("One-time code").fill(await newCode(agent));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("tab", { name: "Containers" }).waitFor();
}

/** A page of its own that speaks with a token: codes for the sign-in are an administrator's. It shows nothing yet. */
export async function openAs(token: string): Promise<Browser> {
  const browser = await openBrowser();
  await browser.context.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await browser.page.addInitScript("localStorage.setItem('fairlead.secret', 'unused')");
  return browser;
}

export async function newCode(agent: Front): Promise<string> {
  const response = await agent.fetch("/api/v1/codes", { method: "POST" });
  const { code } = (await response.json()) as { code: string };
  return code;
}

/** Opens a terminal with a shell from the list; its panel, once there is a prompt. */
export async function openShell(page: Page, container: string): Promise<Locator> {
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `Terminal in ${container}`, exact: true }).click();
  const panel = page.getByRole("tabpanel", { name: `Terminal: ${container}` });
  await prompt(panel);
  return panel;
}

/** Resolves when a shell waits for its next command. */
export async function prompt(panel: Locator): Promise<void> {
  await until("a prompt", async () => (await screen(panel)).some((row) => /[#$]$/.test(row)));
}

/** Ends a terminal's tab, with the yes that it asks for because something runs in it. */
export async function closeTerminal(page: Page, container: string): Promise<void> {
  await page.getByRole("button", { name: `Close Terminal: ${container}` }).click();
  await page.getByRole("button", { name: "End it" }).click();
  await page.getByRole("tabpanel", { name: `Terminal: ${container}` }).waitFor({ state: "detached" });
}

/** The rows of a terminal's screen as they stand in the document, without the blanks at their ends. */
export async function screen(panel: Locator): Promise<string[]> {
  const rows = await panel.locator(".xterm-rows > div").allTextContents();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd());
}

/** Has a shell on this machine say whose it is, and ends it with the exit code 4. */
export async function useHostShell(page: Page, panel: Locator): Promise<void> {
  const user = userInfo().username;
  await panel.getByText(`the host itself, as ${user}`).waitFor();
  await prompt(panel);
  await page.keyboard.type("echo $((6*7))-$(id -un)\n");
  await until("the user", async () => (await screen(panel)).includes(`42-${user}`));
  await page.keyboard.type("exit 4\n");
  await panel.getByText("Ended with exit code 4.").waitFor();
}
