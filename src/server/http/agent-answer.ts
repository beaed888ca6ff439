/** What an agent answers to a request that the server makes of it, over a connection through the relay. */

import type { ClientRequest, IncomingMessage } from "node:http";
import { FairleadError, Problem } from "../../protocol/errors.ts";
import { readNdjson } from "../../protocol/ndjson.ts";

/** By which name an agent always knows itself. */
export const HOST = "localhost";
/** How long an agent may take to begin its answer, in milliseconds. */
const ANSWER_MS = 60_000;

/** Rejects with `unreachable` when it does not begin in time, or the connection breaks before. */
export function answerOf(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const late = () => asked.destroy(new FairleadError("unreachable", "The agent did not answer in time."));
    const timer = setTimeout(late, ANSWER_MS);
    asked.once("response", (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    asked.once("error", (cause) => {
      clearTimeout(timer);
      const words = "The connection to the agent broke before it had answered.";
      reject(cause instanceof FairleadError ? cause : new FairleadError("unreachable", words, { cause }));
    });
  });
}

/** Why it refused. */
export async function refusalOf(answer: IncomingMessage): Promise<FairleadError> {
  const problem = Problem.safeParse(await onlyValue(answer));
  if (problem.success) return FairleadError.from(problem.data);
  return new FairleadError("protocol-error", `The agent answered ${answer.statusCode} without a reason.`);
}

/** The JSON of a good answer. Throws why there is none. */
export async function valueOf(answer: IncomingMessage): Promise<unknown> {
  if (answer.statusCode !== 200) throw await refusalOf(answer);
  return onlyValue(answer);
}

/** One value, with nothing behind it. */
async function onlyValue(answer: IncomingMessage): Promise<unknown> {
  const { value } = await readNdjson(ended(answer)).next();
  return value;
}

async function* ended(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  yield* answer as AsyncIterable<Uint8Array>;
  yield Buffer.from("\n");
}
