/** Whether an exec that was over before anybody looked at it has run: engines forget, or have not noted yet, as which process. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ExecState } from "../../../../src/agent/runtime/docker/exec-state.ts";
import { startExec } from "../../../../src/agent/runtime/docker/exec-start.ts";
import { Killer } from "../../../../src/agent/runtime/docker/kill.ts";
import { HelperImage } from "../../../../src/agent/runtime/docker/own-image.ts";
import { silent } from "../../../contract/silent.ts";
import { type Answers, json, says, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const containerId = "c".repeat(64);
const spec = { command: ["sh", "-c", "exit 127"], tty: false, stdin: false };
const DOCKER = { ApiVersion: "1.41" };
const PODMAN = { ApiVersion: "1.41", Components: [{ Name: "Podman Engine" }] };
const OVER = { Running: false, ExitCode: 127, CanRemove: true, Pid: 0 };

interface Story {
  version: object;
  /** What each look at the exec is told, the last one again and again. */
  looks: readonly ExecState[];
  /** What stands in the exec's stream before it ends. */
  stream?: string;
}

function engineOf({ version, looks, stream = "" }: Story): Answers {
  const left = [...looks];
  const to = (request: string) => {
    if (/^GET \S*\/version /.test(request)) return says(json(JSON.stringify(version)));
    if (/^POST \S*\/exec\/\w+\/start /.test(request)) return says(`HTTP/1.1 101 UPGRADED\r\n\r\n${stream}`);
    if (/^POST \S*\/exec /.test(request)) return says(json(JSON.stringify({ Id: "e".repeat(64) }), "201 Created"));
    if (/^GET \S*\/exec\//.test(request)) return says(json(JSON.stringify(left.length > 1 ? left.shift() : left[0])));
    return says(json(JSON.stringify({ State: { Pid: 0, Running: true } })));
  };
  return { to };
}

async function started(story: Story, check: (starting: ReturnType<typeof startExec>) => Promise<void>): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "fl-start-"));
  try {
    await withFakeEngine(engineOf(story), (engine) => {
      const killer = new Killer(engine, { stateDir, helperImage: new HelperImage(engine), log: silent });
      return check(startExec({ engine, killer }, { containerId, spec }, signal));
    });
  } finally {
    await rm(stateDir, { recursive: true });
  }
}

/** As the engine frames what was said on stderr. */
const onStderr = (words: string) => `\u0002\0\0\0\0\0\0${String.fromCharCode(words.length)}${words}`;

test("Podman's has, with all it said, when that is not what the engine says", () => {
  const words = "sh: nosuch: not found\n";
  return started({ version: PODMAN, looks: [OVER], stream: onStderr(words) }, async (starting) => {
    let said = "";
    for await (const bytes of (await starting).wire.body()) said += bytes.toString("latin1");
    assert.equal(said, onStderr(words));
  });
});

test("Podman's has not when the engine says so", () => {
  const stream = onStderr('Error: runc: exec failed: exec: "/etc/passwd": permission denied: OCI permission denied\n');
  return started({ version: PODMAN, looks: [OVER], stream }, (starting) =>
    assert.rejects(starting, { code: "command-not-executable", message: /^Error: runc/ }),
  );
});

test("Docker's has when its process is told a moment after its end", () =>
  started({ version: DOCKER, looks: [OVER, { ...OVER, Pid: 4711 }] }, async (starting) => void (await starting)));

test("Docker's has not when there is no process, and the stream says why", () => {
  const stream = onStderr("OCI runtime exec failed: exec failed: executable file not found in $PATH: unknown\r\n");
  return started({ version: DOCKER, looks: [OVER], stream }, (starting) =>
    assert.rejects(starting, { code: "command-not-found", message: /^OCI runtime/ }),
  );
});
