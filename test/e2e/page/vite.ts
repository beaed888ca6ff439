/** vite's development server in a container, and the site that it serves, which a test changes. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Engine } from "../../support/engine.ts";
import { runNode } from "./node-apps.ts";

export const VITE_PORT = 5173;

export class Site {
  readonly #directory: string;

  static async create(): Promise<Site> {
    const directory = await mkdtemp(join(tmpdir(), "fl-vite-"));
    const page = '<!doctype html><body><script type="module" src="/main.js"></script></body>';
    await writeFile(join(directory, "index.html"), page);
    await writeFile(join(directory, "vite.config.js"), `export default { cacheDir: "/tmp/vite" };\n`);
    const site = new Site(directory);
    await site.write("before");
    return site;
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** On the container's own loopback, as a development server is by default. */
  async serve(engine: Engine, name: string): Promise<void> {
    await runNode(engine, {
      name,
      ports: [VITE_PORT],
      command: ["/repository/node_modules/vite/bin/vite.js", "/site", "--port", String(VITE_PORT)],
      mounts: { [this.#directory]: "/site" },
    });
  }

  /** Its words, in a module that takes its own place when it is changed. */
  async write(words: string): Promise<void> {
    await writeFile(
      join(this.#directory, "main.js"),
      `document.body.dataset.words = ${JSON.stringify(words)};\nif (import.meta.hot) import.meta.hot.accept();\n`,
    );
  }

  /** Waits until the page shows a change by itself; gives the address of the WebSocket that told it. */
  async change(app: Page): Promise<string> {
    const before = app.locator('body[data-words="before"]');
    await before.waitFor({ state: "attached" });
    // The page that was opened may have its WebSocket already.
    const connected = new Promise<string>((resolve) => {
      app.once("websocket", (socket) => void socket.once("framereceived", () => resolve(socket.url())));
    });
    await app.reload();
    await before.waitFor({ state: "attached" });
    const address = await connected;
    await app.evaluate("window.stays = 'stays'");
    await this.write("after");
    await app.locator('body[data-words="after"]').waitFor({ state: "attached" });
    if ((await app.evaluate("window.stays")) !== "stays") throw new Error("the page was loaded anew");
    return address;
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
