/** What only one host can answer: a server has to be told which. */

import * as z from "zod/mini";
import { FairleadError } from "../protocol/errors.ts";
import type { Connection } from "./connection.ts";
import { UsageError } from "./failure.ts";

const Kind = z.object({ kind: z.string() });

/** Asks, and where that fails for want of a node, because a server was asked itself, says so. */
export async function ofOneHost<T>(
  { connection, node }: { connection: Connection; node: string | undefined },
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (node !== undefined || !isMisunderstood(error) || !(await isServer(connection))) throw error;
    throw new UsageError(
      "This is a server: name the node, as NODE:container, or with --node where there is no container. All containers there are: ctl ps --all-nodes",
      { cause: error },
    );
  }
}

/** A server knows the address not at all, or answers there with something else. */
function isMisunderstood(error: unknown): boolean {
  if (error instanceof FairleadError) return error.code === "not-found" || error.code === "bad-request";
  return error instanceof z.core.$ZodError;
}

async function isServer(connection: Connection): Promise<boolean> {
  const version = Kind.safeParse(await connection.get("/api/v1/version").catch(() => undefined));
  return version.success && version.data.kind === "server";
}
