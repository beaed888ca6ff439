/** A conversation that tells every byte apart, with a process in a container or with a port of it; whoever plays it may cut it anywhere. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client } from "../../src/client/client.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import type { ExitStatus } from "../../src/protocol/packet.ts";
import type { Engine } from "../support/engine.ts";
import { pattern, sha256 } from "./pattern.ts";

/** The container that talks. */
export const TALKER = "fault-resume";
/** What goes each way in one conversation. */
const BYTES = 65_536;
const PAYLOAD = pattern(BYTES);
const DIGEST = sha256(PAYLOAD);
/** Pieces of uneven length, so that cuts fall everywhere in a packet. */
const PIECES = [1, 7_000, 96, 13, 1_900, 2_500];
const PORT = 7070;
/** Milliseconds; a session whose opening was cut waits that long for nobody. */
const GRACE = 10_000;

/**
 * Speaks and listens at the same time, then tells what it heard and how often it was signalled. Only the shell is told
 * of a signal, and only while it waits, so that each one counts; what reads and writes ignores it from its birth.
 */
const SCRIPT = `
  exec 3<&0; trap '' USR1
  ( read go <&3; cat /payload & head -c ${BYTES} <&3 | sha256sum > /tmp/heard.$$; wait ) &
  signals=0; trap 'signals=$((signals+1))' USR1
  [ "$1" = tty ] && stty raw -echo
  echo ready
  while kill -0 $! 2>/dev/null; do wait $!; done
  cat /tmp/heard.$$; rm /tmp/heard.$$
  echo "signals $signals"; exit 42`;
const READY = "ready\n";

/** On which host the container is, where a server is talked to. */
interface Where {
  node?: string;
}

/** Rejects unless every byte, the exit status and the one signal were right. */
export async function talkToExec(client: Client, { tty, ...where }: Where & { tty: boolean }): Promise<void> {
  const command = ["sh", "-c", SCRIPT, "sh", tty ? "tty" : "pipe"];
  const session = await again(() =>
    client.exec(TALKER, { command, tty, stdin: true }, { onDrop: "keep", grace: GRACE, ...where }),
  );
  const said = await converse(session, { isProcess: true });
  assert.deepEqual(said.status, { code: 42 });
  assert.ok(said.bytes.subarray(0, BYTES).equals(PAYLOAD), "the output was changed");
  assert.equal(said.bytes.subarray(BYTES).toString(), `${DIGEST}  -\nsignals 1\n`);
}

/** Rejects unless every byte was right, both ways, and both ends came. */
export async function talkToPort(client: Client, where: Where = {}): Promise<void> {
  const forward = await again(() => client.forward(TALKER, { ports: [PORT] }, { grace: GRACE, ...where }));
  const session = await again(async () => {
    const dialled = await forward.dial(PORT);
    await dialled.opened;
    return dialled;
  });
  const said = await converse(session, { isProcess: false });
  assert.deepEqual(said.status, { code: 0 });
  assert.ok(said.bytes.subarray(0, BYTES).equals(PAYLOAD), "what came back was changed");
  assert.equal(said.bytes.subarray(BYTES).toString(), DIGEST);
}

/** A cut before the agent's answer is the caller's to repeat: nobody knows whether the command ran. */
function again<T>(attempt: () => Promise<T>): Promise<T> {
  return attempt().catch(attempt).catch(attempt);
}

/** Says the payload while it listens; to a process once it is ready, with a signal in the middle. */
async function converse(
  session: RemoteSession,
  { isProcess }: { isProcess: boolean },
): Promise<{ bytes: Buffer; status: ExitStatus | undefined }> {
  const heard: Uint8Array[] = [];
  let speaking = isProcess ? undefined : speakToPort(session);
  let status: ExitStatus | undefined;
  for await (const packet of session.packets()) {
    if (packet.type === "stdout") heard.push(packet.bytes.slice());
    else if (packet.type === "exit") status = packet.status;
    else assert.deepEqual(packet, { type: "end" });
    if (!speaking && Buffer.concat(heard).toString() === READY) speaking = speakToProcess(session);
  }
  await speaking;
  return { bytes: Buffer.concat(heard).subarray(isProcess ? READY.length : 0), status };
}

async function speakToPort(session: RemoteSession): Promise<void> {
  await say(session, PAYLOAD);
  await session.send({ type: "end" });
}

async function speakToProcess(session: RemoteSession): Promise<void> {
  await session.send({ type: "stdin", bytes: Buffer.from("go\n") });
  await say(session, PAYLOAD.subarray(0, BYTES / 2));
  await session.send({ type: "signal", name: "USR1" });
  await say(session, PAYLOAD.subarray(BYTES / 2));
  if (!session.tty) await session.send({ type: "end" });
}

async function say(session: RemoteSession, bytes: Buffer): Promise<void> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const length = PIECES[i % PIECES.length] ?? 1;
    await session.send({ type: "stdin", bytes: bytes.subarray(at, at + length) });
    at += length;
  }
}

/** Starts the container and what listens in it; it ends with its input. */
export async function startTalker(engine: Engine): Promise<ChildProcess> {
  await engine.run(TALKER);
  await provide(engine, PAYLOAD);
  return listenInside(engine);
}

/** As /payload in the container. */
async function provide(engine: Engine, bytes: Buffer): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), "fl-resume-"));
  await writeFile(join(place, "payload"), bytes);
  await engine.docker("cp", join(place, "payload"), `${TALKER}:/payload`);
  await rm(place, { recursive: true });
}

/** This machine's Node in the container's network: the image has none. */
async function listenInside(engine: Engine): Promise<ChildProcess> {
  const pid = await engine.docker("inspect", "--format", "{{.State.Pid}}", TALKER);
  const program = fileURLToPath(new URL("container/peer.ts", import.meta.url));
  const command = [process.execPath, program, String(PORT), String(BYTES)];
  const child = spawn("nsenter", ["--target", pid, "--net", ...command], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}
