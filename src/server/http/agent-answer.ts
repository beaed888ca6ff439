/** What an agent answers to a request that the server makes of it, over a connection through the relay. */

import type { ClientRequest, IncomingMessage } from "node:http";
import { ERRORS, FairleadError, Problem } from "../../protocol/errors.ts";
import { readNdjson } from "../../protocol/ndjson.ts";
import { REQUEST_ID_HEADER } from "../../protocol/version.ts";

/** By which name an agent always knows itself. */
export const HOST = "localhost";
/** How long an agent may take to begin its answer, in milliseconds. */
const ANSWER_MS = 60_000;
/** Bytes of an answer that is one small value. */
const MAX_VALUE = 65_536;
/** Says that the connection is the agent's and the client's from now on. */
export const SWITCHING = 101;
/** What an agent may say of its answer on the server's own origin, where browsers obey; all else is the server's to say. */
const TOLD: readonly string[] = [
  "allow",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-type",
  "retry-after",
  REQUEST_ID_HEADER,
];
/** Who is signed in here, and under which name, only the server knows. */
const NOT_ITS_OWN: ReadonlySet<string> = new Set(["unauthenticated", "wrong-host", "wrong-origin"]);

/**
 * With status 101 where that was asked for. Rejects with `unreachable` when it does not begin in time, or the connection
 * breaks before.
 */
export function answerOf(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const late = () => asked.destroy(new FairleadError("unreachable", "The agent did not answer in time."));
    const timer = setTimeout(late, ANSWER_MS);
    asked.once("response", (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    asked.once("upgrade", (answer, stream, first) => {
      clearTimeout(timer);
      if (first.length > 0) stream.unshift(first);
      resolve(answer);
    });
    asked.once("error", (cause) => {
      clearTimeout(timer);
      const words = "The connection to the agent broke before it had answered.";
      reject(cause instanceof FairleadError ? cause : new FairleadError("unreachable", words, { cause }));
    });
  });
}

/** What is passed on of an answer. Throws `unreachable` for one that is not for an agent to give: it might be lying. */
export function toldBy({ statusCode: status = 0, headers }: IncomingMessage): { status: number; headers: object } {
  const redirects = status >= 300 && status < 400;
  if (status < 200 || redirects || status === ERRORS.unauthenticated.http)
    throw new FairleadError("unreachable", `The agent answered ${status}, which is not for an agent to say.`);
  return { status, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => TOLD.includes(name))) };
}

/** Why it refused. */
export async function refusalOf(answer: IncomingMessage): Promise<FairleadError> {
  const problem = Problem.safeParse(await onlyValue(answer));
  if (problem.success && !NOT_ITS_OWN.has(problem.data.code)) return FairleadError.from(problem.data);
  return new FairleadError("protocol-error", `The agent answered ${answer.statusCode} without a reason.`);
}

/** The JSON of a good answer. Throws why there is none. */
export async function valueOf(answer: IncomingMessage): Promise<unknown> {
  if (answer.statusCode !== 200) throw await refusalOf(answer);
  return onlyValue(answer);
}

/** One small value, which comes in time; the connection is let go of. */
async function onlyValue(answer: IncomingMessage): Promise<unknown> {
  const late = setTimeout(() => answer.destroy(new Error("It did not end in time.")), ANSWER_MS);
  try {
    const { value } = await readNdjson(ended(answer)).next();
    return value;
  } catch (cause) {
    throw new FairleadError("unreachable", "The agent's answer cannot be understood.", { cause });
  } finally {
    clearTimeout(late);
    answer.destroy();
  }
}

async function* ended(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const bytes of answer as AsyncIterable<Uint8Array>) {
    size += bytes.length;
    if (size > MAX_VALUE) throw new Error(`It is longer than ${MAX_VALUE} bytes.`);
    yield bytes;
  }
  yield Buffer.from("\n");
}
