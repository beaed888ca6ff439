/** A dashboard with a sign-in of its own, Syncthing's, in a container and on a page of a real browser. */

import assert from "node:assert/strict";
import { chmod, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { reload, visit } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const NAME = "page-syncthing";
const PORT = 8384;
const USER = "keeper";
const PASSWORD = "fair-winds";
/** Of the password, by bcrypt. */
const HASH = "$2b$04$f40q2Y0hWv/0dPcPnaWbCO5JYsKuz3U2pH0bt8heWuqlpJErp7/nm";
const FOLDER = "charts of the coast";

/** Its sign-in on the container's loopback, as by default, and no talk with the world. */
const CONFIG = `<configuration version="36">
  <gui enabled="true" tls="false">
    <address>127.0.0.1:${PORT}</address>
    <user>${USER}</user>
    <password>${HASH}</password>
  </gui>
  <options>
    <listenAddress>tcp://127.0.0.1:0</listenAddress>
    <globalAnnounceEnabled>false</globalAnnounceEnabled>
    <localAnnounceEnabled>false</localAnnounceEnabled>
    <relaysEnabled>false</relaysEnabled>
    <natEnabled>false</natEnabled>
    <urAccepted>-1</urAccepted>
    <crashReportingEnabled>false</crashReportingEnabled>
    <autoUpgradeIntervalH>0</autoUpgradeIntervalH>
  </options>
</configuration>
`;

let setup: Setup;
let home: string;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "fl-syncthing-"));
  await writeFile(join(home, "config.xml"), CONFIG);
  await chmod(home, 0o777);
  const mounts = {
    "/usr/bin/syncthing": "/syncthing:ro",
    [await realpath("/lib")]: "/lib:ro",
    [await realpath("/lib64")]: "/lib64:ro",
    [home]: "/config",
  };
  const volumes = Object.entries(mounts).flatMap(([here, there]) => ["--volume", `${here}:${there}`]);
  setup = await openPage(async (engine) => {
    await engine.run(NAME, {
      args: [...volumes, "--env", "HOME=/config", "--env", "STNOUPGRADE=1", "--expose", String(PORT)],
      command: ["/syncthing", "serve", "--no-browser", "--no-restart", "--home=/config"],
    });
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [NAME]);
  await rm(home, { recursive: true, force: true });
});

test("a dashboard asks for its own password, and works with its own sign-in, tokens and long polls", async () => {
  const { context, page } = setup;
  await context.setHTTPCredentials({ username: USER, password: "a guess" });
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: `Open port ${PORT} of ${NAME}` }).click();
  const app = await opened;
  await app.getByText("Not Authorized").waitFor();
  await context.setHTTPCredentials({ username: USER, password: PASSWORD });
  await reload(app);
  await app.getByRole("heading", { name: "This Device" }).waitFor();

  // A change is a POST with a token of the page; that it is done arrives over a poll that waits.
  await app.getByRole("button", { name: "Add Folder" }).click();
  await app.locator("#folderLabel").fill(FOLDER);
  await app.locator("#folderPath").fill("/config/charts");
  await app.getByRole("button", { name: "Save" }).click();
  await app.getByRole("button", { name: FOLDER }).getByText("Unshared").waitFor();
  assert.match(await setup.engine.docker("exec", NAME, "cat", "/config/config.xml"), new RegExp(`label="${FOLDER}"`));

  const plain = await context.newPage();
  await visit(plain, new URL("/", app.url()).href);
  await plain.getByText(FOLDER).first().waitFor();
});

test("the agent's page keeps its own sign-in beside that of the dashboard", async () => {
  const { page } = setup;
  await reload(page);
  await page.getByRole("button", { name: `Open port ${PORT} of ${NAME}` }).waitFor();
  assert.deepEqual(setup.complaints, []);
});
