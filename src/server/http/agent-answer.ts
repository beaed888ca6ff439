/** What an agent answers to a request that the server makes of it, over a connection through the relay. */

import type { ClientRequest, IncomingMessage } from "node:http";
import { FairleadError } from "../../protocol/errors.ts";

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
