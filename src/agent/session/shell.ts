/** A shell, or one command, on the host itself. */

import type { ShellBody } from "../../protocol/open.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import type { Host, ShellSpec } from "../runtime/runtime.ts";
import { defined } from "./exec.ts";
import { serveProcess } from "./process.ts";
import type { SessionIo } from "./io.ts";

/** The session ends with the process; the process ends with the session. */
export async function serveShell(io: SessionIo, body: ShellBody, host: Host): Promise<ExitStatus> {
  const process = await host.shell(defined<ShellSpec>(body), io.signal);
  io.accept({ tty: body.tty, user: host.user });
  return serveProcess(io, process);
}
