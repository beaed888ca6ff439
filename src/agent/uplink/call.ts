/** Requests to the server, and the words for everything that can come back instead of an answer. */

import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { FairleadError, Problem } from "../../protocol/errors.ts";
import type { ServerAddress, ServerAgent } from "./secure.ts";

/** For a whole answer, connecting included, in milliseconds. */
const ANSWER_MS = 10_000;
/** Longest answer that is read, in bytes. */
const MAX_ANSWER = 1_048_576;
/** Of an answer that is none, so much is quoted. */
const MAX_QUOTE = 80;

export interface Call {
  path: string;
  body: string;
  headers: Record<string, string>;
}

export interface Line {
  server: ServerAddress;
  agent: ServerAgent;
  /** Ends what is under way. */
  signal: AbortSignal;
}

/** POSTs JSON. The answer's JSON, or `undefined` where it has no body; rejects with a FairleadError. */
export async function call({ server, agent, signal }: Line, asked: Call): Promise<unknown> {
  const late = AbortSignal.timeout(ANSWER_MS);
  try {
    const answer = await send(asked, { server, agent, signal: AbortSignal.any([signal, late]) });
    return understand(answer, server.url);
  } catch (error) {
    if (error instanceof FairleadError) throw error;
    const words = late.aborted ? `no answer within ${ANSWER_MS / 1_000} s` : wordsOf(error);
    throw new FairleadError("unreachable", `${server.url.origin} cannot be reached: ${words}.`, { cause: error });
  }
}

interface Answer {
  status: number;
  location: string | undefined;
  body: string;
}

/** Once more where the connection that was kept open turned out to have been closed by the server. */
async function send(asked: Call, line: Line): Promise<Answer> {
  try {
    return await sendOnce(asked, line);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return await sendOnce(asked, line);
  }
}

class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

function sendOnce({ path, body, headers }: Call, { server: { url }, agent, signal }: Line): Promise<Answer> {
  const target = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (url.protocol === "http:" ? 80 : 443),
  };
  const length = { "content-type": "application/json", "content-length": Buffer.byteLength(body), host: url.host };
  return new Promise((resolve, reject) => {
    const asked = httpRequest({
      ...target,
      path: url.pathname.replace(/\/$/, "") + path,
      method: "POST",
      headers: { ...headers, ...length },
      agent,
      signal,
    });
    asked.once("response", (answer) => void read(answer).then(resolve, reject));
    asked.once("error", (error: NodeJS.ErrnoException) => {
      const stale = asked.reusedSocket && error.code === "ECONNRESET";
      reject(stale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    asked.end(body);
  });
}

async function read(answer: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER)
      throw new FairleadError("protocol-error", `The server's answer is longer than ${MAX_ANSWER} bytes.`);
    chunks.push(chunk);
  }
  const { statusCode: status = 0, headers } = answer;
  return { status, location: headers.location, body: Buffer.concat(chunks).toString("utf8") };
}

function understand({ status, location, body }: Answer, url: URL): unknown {
  if (status === 204) return undefined;
  const value = parse(body);
  if (status >= 200 && status < 300 && value !== undefined) return value;
  const problem = Problem.safeParse(value);
  if (problem.success && status >= 400) throw FairleadError.from(problem.data);
  if (status >= 300 && status < 400)
    throw stranger(
      url,
      `it points to ${JSON.stringify(location ?? "").slice(0, MAX_QUOTE)}; give that as the server's address if it is right`,
    );
  if (status >= 500)
    throw new FairleadError("unreachable", `${url.origin} answers ${status}; it or a proxy before it has a problem.`);
  throw stranger(url, `it answers ${status} with ${JSON.stringify(body.slice(0, MAX_QUOTE))}`);
}

function stranger(url: URL, why: string): FairleadError {
  return new FairleadError("protocol-error", `${url.origin} does not seem to be a Fairlead server: ${why}.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ECONNREFUSED: "nothing listens there",
    ENOTFOUND: "no host has that name",
    EAI_AGAIN: "its name cannot be looked up now",
    ECONNRESET: "it ended the connection",
  };
  return words[code] ?? message;
}
