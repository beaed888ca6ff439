/** A file of 200 MB, uploaded from a real browser to a container's page. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const NAME = "page-upload";
const PORT = 8080;
const PIECE = 1_000_000;
const PIECES = 200;
/** Milliseconds for all of it, on a busy machine. */
const UPLOAD_MS = 120_000;

const PAGE = `<!doctype html><input type="file"><output></output><script>
document.querySelector("input").onchange = async (event) => {
  const answer = await fetch("/cgi-bin/take", { method: "POST", body: event.target.files[0] });
  document.querySelector("output").textContent = answer.status + " " + await answer.text();
};
</script>`;
const TAKE = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\ncat > /taken\nprintf 'taken'\n";

let setup: Setup;
let home: string;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "fl-upload-"));
  await mkdir(join(home, "www/cgi-bin"), { recursive: true });
  await writeFile(join(home, "www/index.html"), PAGE);
  await writeFile(join(home, "www/cgi-bin/take"), TAKE, { mode: 0o755 });
  setup = await openPage(async (engine) => {
    await engine.run(NAME, {
      args: ["--volume", `${join(home, "www")}:/www:ro`, "--expose", String(PORT)],
      command: ["httpd", "-f", "-p", String(PORT), "-h", "/www"],
    });
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [NAME]);
  await rm(home, { recursive: true, force: true });
});

test("200 MB arrive in the container as they are in the browser's file", async () => {
  const { context, page } = setup;
  const file = join(home, "large");
  const digest = await writeRandom(file);
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: `Open port ${PORT} of ${NAME}` }).click();
  const app = await opened;
  await app.locator("input").setInputFiles(file);
  await app.getByText("200 taken").waitFor({ timeout: UPLOAD_MS });
  const [there] = (await setup.engine.docker("exec", NAME, "sha256sum", "/taken")).split(" ");
  assert.equal(there, digest);
});

/** Its SHA-256. */
async function writeRandom(path: string): Promise<string> {
  const hash = createHash("sha256");
  await using file = await open(path, "w");
  for (let piece = 0; piece < PIECES; piece++) {
    const bytes = randomBytes(PIECE);
    hash.update(bytes);
    await file.write(bytes);
  }
  return hash.digest("hex");
}
