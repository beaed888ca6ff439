/** Carries bytes between a session and a process: exec, attach and host shell alike. */

import { FairleadError } from "../../protocol/errors.ts";
import type { ExitStatus, Packet } from "../../protocol/packet.ts";
import type { Output, Process } from "../runtime/runtime.ts";
import { toFairleadError } from "./failure.ts";
import type { SessionIo } from "./io.ts";

/** What a client that may only look may still say. */
const HARMLESS: readonly Packet["type"][] = ["resize", "end"];

/**
 * Until the process ended and all its output is on its way. Leaves no process behind, however it ends. Of a client that
 * `onlyLooks` a signal or input ends the session: its right is not that of one who types.
 */
export async function serveProcess(io: SessionIo, process: Process, { onlyLooks = false } = {}): Promise<ExitStatus> {
  const stop = () => void process.close();
  io.signal.addEventListener("abort", stop, { once: true });
  if (io.signal.aborted) stop();
  void pumpInput(io, process, onlyLooks ? HARMLESS : undefined).catch((error: unknown) =>
    io.end(toFairleadError(error)),
  );
  try {
    for await (const output of process.output) await sendOutput(io, output);
    return await process.exit;
  } finally {
    io.signal.removeEventListener("abort", stop);
    await process.close();
  }
}

async function sendOutput(io: SessionIo, output: Output): Promise<void> {
  if (output.dropped) await io.send({ type: "gap", gap: { bytes: output.dropped, why: "the reader was too slow" } });
  if (output.bytes.length > 0) await io.send({ type: output.stream, bytes: output.bytes });
}

/** Ends with the session. A packet counts as consumed once the engine took it. */
async function pumpInput(io: SessionIo, process: Process, allowed?: readonly Packet["type"][]): Promise<void> {
  let reading = true;
  for await (const packet of io.packets()) {
    if (allowed && !allowed.includes(packet.type))
      throw new FairleadError("bad-request", "This attach may only look: it sends no input and no signals.");
    if (packet.type === "stdin") {
      if (!reading) continue;
      // A process that closed its input is no error: what is written to it is lost, as in any pipe.
      reading = await process.write(packet.bytes).then(
        () => true,
        () => false,
      );
    } else await control(process, packet);
  }
}

async function control(process: Process, packet: Packet): Promise<void> {
  switch (packet.type) {
    case "end":
      return process.end();
    case "resize":
      return process.resize({ cols: packet.cols, rows: packet.rows });
    case "signal":
      return process.signal(packet.name);
    default:
      throw new FairleadError("protocol-error", `A client may not send ${packet.type} to a process.`);
  }
}
