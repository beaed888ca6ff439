/** A log of which only the lines with some text are wanted: each is shown whole or not at all. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { RemoteSession } from "../../../src/client/session.ts";
import type { LogCursor, LogsBody } from "../../../src/protocol/open.ts";
import { startDesk } from "../../support/desk.ts";
import { ScriptedLog } from "../../support/scripted-log.ts";

const BODY: LogsBody = { follow: false, stdout: true, stderr: true, timestamps: false, grep: "panic" };
/** As engines cut long lines, in bytes. */
const PART = 16_384;

async function startLogs(t: TestContext) {
  const log = new ScriptedLog();
  const desk = await startDesk({ logs: (options, signal) => log.logs(options, signal) });
  const client = desk.client();
  t.after(async () => {
    await client.close();
    await desk.close();
  });
  return { log, open: (body: Partial<LogsBody> = {}) => client.logs("web", { ...BODY, ...body }) };
}

/** Up to the end, or to the packet after which `enough` says so, with the last cursor. */
async function read(session: RemoteSession, enough: (said: string, cursor?: LogCursor) => boolean = () => false) {
  let said = "";
  let cursor: LogCursor | undefined;
  for await (const packet of session.packets()) {
    if (packet.type === "stdout" || packet.type === "stderr") said += Buffer.from(packet.bytes).toString();
    if (packet.type === "cursor") cursor = packet.cursor;
    if (enough(said, cursor)) break;
  }
  return { said, cursor };
}

test("the last line is searched too when no newline ends it", async (t) => {
  const { log, open } = await startLogs(t);
  for (const text of ["ok\n", "panic: ", "last words"]) log.write(text);
  const { said, cursor } = await read(await open());
  assert.equal(said, "panic: last words");
  log.write("!\n");
  assert.equal((await read(await open({ after: cursor }))).said, "", "it has been shown");
});

test("a line that is too long to be searched whole is judged by its beginning, to its end", async (t) => {
  const { log, open } = await startLogs(t);
  const long = "x".repeat(PART);
  for (const [first, last] of [
    ["panic", "end\n"],
    ["fine", "panic\n"],
  ] as const) {
    log.write(first + long);
    for (let i = 0; i < 99; i += 1) log.write(long);
    log.write(last);
  }
  log.write("panic again\n");
  const { said } = await read(await open());
  assert.ok(said === `panic${long.repeat(100)}end\npanic again\n`, `${said.length} bytes, ${said.slice(-20)}`);
});

test("who goes on from a cursor gets the line whole that was not complete then", async (t) => {
  const { log, open } = await startLogs(t);
  for (const text of ["panic one\n", "panic two: begins "]) log.write(text);
  const { said, cursor } = await read(await open({ follow: true }), (_, at) => at !== undefined);
  assert.equal(said, "panic one\n");
  log.write("and ends\n");
  assert.equal((await read(await open({ after: cursor }))).said, "panic two: begins and ends\n");
});
