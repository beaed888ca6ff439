/** A command in a container. */

import type { ExecBody } from "../../protocol/open.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import type { ExecSpec, Runtime } from "../runtime/runtime.ts";
import { serveProcess } from "./process.ts";
import type { SessionIo } from "./io.ts";

/** The session ends with the process; the process ends with the session. */
export async function serveExec(io: SessionIo, id: string, body: ExecBody, runtime: Runtime): Promise<ExitStatus> {
  const process = await runtime.exec(id, defined<ExecSpec>({ ...body, session: io.id }), io.signal);
  io.accept({ tty: body.tty });
  return serveProcess(io, process);
}

/** A parsed body has `undefined` where the runtime's types want nothing at all. */
export function defined<T extends object>(body: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as T;
}
