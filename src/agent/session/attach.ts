/** The main process of a container, listened to and talked to. */

import type { AttachBody } from "../../protocol/open.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import type { AttachSpec, Runtime } from "../runtime/runtime.ts";
import { defined } from "./exec.ts";
import { serveProcess } from "./process.ts";
import type { SessionIo } from "./io.ts";

/** Ends when the container stops, with its exit code. Ending the session lets go and leaves the container alone. */
export async function serveAttach(io: SessionIo, id: string, body: AttachBody, runtime: Runtime): Promise<ExitStatus> {
  const { tty, openStdin } = await runtime.inspect(id, io.signal);
  const process = await runtime.attach(id, defined<AttachSpec>(body), io.signal);
  io.accept({ tty, stdin: body.stdin && openStdin });
  return serveProcess(io, process, { onlyLooks: !body.stdin });
}
