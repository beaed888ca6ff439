/** The hostile app in a container, and what its page got by trying everything. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Engine } from "../../support/engine.ts";
import { until } from "../../support/until.ts";
import { visit } from "./browser.ts";
import { runNode } from "./node-apps.ts";

export const FAILED = "failed: TypeError";

/** It listens at each of these ports. */
export async function runHostile(engine: Engine, name: string, ports: readonly number[]): Promise<void> {
  const command = ["/repository/test/e2e/apps/hostile.ts", ...ports.map(String)];
  await runNode(engine, { name, ports, command });
}

/** What the app's page got against an origin. */
export async function attack(app: Page, target: string): Promise<Record<string, string>> {
  await visit(app, `${new URL(app.url()).origin}/?target=${encodeURIComponent(target)}`);
  return until("the results", async () => app.evaluate<Record<string, string> | undefined>("window.results"));
}

/** Against the origin of the page that it was opened from. */
export async function attackInVain(app: Page, target: string): Promise<void> {
  const results = await attack(app, target);
  assert.deepEqual(results, {
    cookie: "mine=1",
    storage: "",
    opener: "null",
    worker: FAILED,
    read: FAILED,
    write: FAILED,
    blind: FAILED,
    socket: "failed: Error",
    frame: results["frame"],
    domain: "mine=1",
  });
  assert.match(results["frame"] ?? "", /^failed: (TypeError|SecurityError)$/);
}
