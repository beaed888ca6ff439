/** Requests to the server's HTTP side, and the words for everything that can go wrong on the way. */

import type { ClientRequest, IncomingMessage } from "node:http";
import { FairleadError, Problem } from "../../protocol/errors.ts";
import { http } from "../late.ts";
import type { Server } from "./locate.ts";
import { secureConnection } from "./secure.ts";

/** How long a server may take to begin its answer, in milliseconds. */
const ANSWER_MS = 30_000;
/** Milliseconds without a byte, after which the connection is dead: a server sends a blank line every 15 s. */
const SILENCE_MS = 45_000;
const SILENT = `Nothing came from the server for ${SILENCE_MS / 1000} s: the connection is dead. Run the command again.`;
/** Largest answer that is read whole, in bytes: a list of several thousand containers. */
const MAX_ANSWER = 64 * 1024 * 1024;
/** Largest error document. */
const MAX_PROBLEM = 65_536;
const BAD_GATEWAY = 502;
/** What no agent has: hosts, and the tokens of people. */
const OF_SERVERS = /^\/api\/v1\/(nodes|tokens)\b/;

export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  /** Sent as JSON. */
  body?: object;
  /** Instead of the token, where there is none yet. */
  authorization?: string;
  /** How long the answer may take to begin, in milliseconds; default ANSWER_MS. */
  patience?: number;
}

/** The server's answer when it is a good one, its body unread; rejects with a FairleadError otherwise. */
export async function call(server: Server, asking: Call): Promise<IncomingMessage> {
  const { method, path, body, patience = ANSWER_MS } = asking;
  const url = addressOf(server, path);
  const { request } = http(url.protocol);
  const headers = {
    authorization: asking.authorization ?? `Bearer ${server.token.reveal()}`,
    accept: "application/json",
    ...(body && { "content-type": "application/json" }),
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const secure = url.protocol === "https:" && { createConnection: secureConnection(server) };
    const asked: ClientRequest = request(url, { method, headers, timeout: patience, ...secure });
    asked.once("response", resolve);
    asked.once("error", (error) => reject(unreachable(server, error)));
    asked.once("timeout", () => asked.destroy(new Error(`no answer within ${patience / 1000} s`)));
    asked.end(body && JSON.stringify(body));
  });
  answer.setTimeout?.(0);
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status < 300) return answer;
  const error = await refusal(asking.authorization === undefined ? server : { ...server, tokenFrom: "" }, answer);
  if (error.code !== "not-found" || !OF_SERVERS.test(path) || !(await isAgent(server))) throw error;
  const words = `${server.url.origin} is an agent, and knows its own host alone. Name a server (--server, ctl context use).`;
  throw new FairleadError("not-found", words, { request: error.request });
}

async function isAgent(server: Server): Promise<boolean> {
  const version = await callJson(server, { method: "GET", path: "/api/v1/version" }).catch(() => undefined);
  return (version as { kind?: unknown } | undefined)?.kind === "agent";
}

/** The whole body as JSON, `undefined` where there is none; the caller validates it. */
export async function callJson(server: Server, asked: Call): Promise<unknown> {
  const body = await readAll(await call(server, asked), MAX_ANSWER);
  if (body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw stranger(server, "its answer is not JSON", cause);
  }
}

/** The error that a refused request or upgrade tells about. */
export async function refusal(server: Server, answer: IncomingMessage): Promise<FairleadError> {
  const status = answer.statusCode ?? 0;
  const body = await readAll(answer, MAX_PROBLEM).catch(() => "");
  const problem = Problem.safeParse(parseOrNothing(body));
  if (!problem.success) {
    // A proxy in front answers so while the server behind it is away.
    if (status >= BAD_GATEWAY)
      return new FairleadError("unreachable", `${server.url.origin} answers ${status}. Try again later.`);
    return stranger(server, `it answers ${status} without a reason`);
  }
  const error = FairleadError.from(problem.data);
  return error.code === "unauthenticated" && server.tokenFrom
    ? new FairleadError(error.code, `${error.message} The token used came from ${server.tokenFrom}.`, {
        request: error.request,
      })
    : error;
}

/** A failed connection in words; an error that has them already stays as it is. */
export function unreachable(server: Server, error: NodeJS.ErrnoException): FairleadError {
  if (error instanceof FairleadError) return error;
  const where = server.url.origin;
  const code =
    error.code ?? (error instanceof AggregateError ? String((error.errors[0] as NodeJS.ErrnoException)?.code) : "");
  const words: Record<string, string> = {
    ECONNREFUSED: `Nothing listens at ${where} (${server.urlFrom}). Start the agent there (npm start) or the server (npm run server), or name another with --server.`,
    ENOTFOUND: `No host is called ${server.url.hostname} (${server.urlFrom}). Check the address.`,
    EAI_AGAIN: `The name ${server.url.hostname} cannot be looked up now. Check the network, or try again.`,
    ECONNRESET: `${where} ended the connection. ${server.url.protocol === "http:" ? "If it serves TLS, write https. " : ""}Look at what the agent says, or try again.`,
    ERR_SSL_WRONG_VERSION_NUMBER: `${where} does not speak TLS. If it serves plain HTTP, write http.`,
  };
  return new FairleadError(
    "unreachable",
    words[code] ?? `${where} cannot be reached (${error.message || code}). Check the address and the network.`,
    { cause: error },
  );
}

/** Something answers, but it is not what it should be. */
export function stranger(server: Server, why: string, cause?: unknown): FairleadError {
  return new FairleadError(
    "protocol-error",
    `${server.url.origin} does not seem to be a Fairlead agent: ${why}. Check the address.`,
    { cause },
  );
}

/** The server may live below a path of its own. */
export function addressOf(server: Server, path: string): URL {
  const url = new URL(server.url);
  const [pathname = "", search = ""] = path.split("?");
  url.pathname = server.url.pathname.replace(/\/$/, "") + pathname;
  url.search = search;
  return url;
}

/** The bytes of an answer. Throws `unreachable` when it breaks off, or brings nothing for too long while somebody waits for more. */
export async function* piecesOf(answer: IncomingMessage): AsyncGenerator<Uint8Array, void, void> {
  const giveUp = () => answer.destroy(new FairleadError("unreachable", SILENT));
  let timer = setTimeout(giveUp, SILENCE_MS);
  try {
    for await (const bytes of answer as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      yield bytes;
      timer = setTimeout(giveUp, SILENCE_MS);
    }
  } catch (cause) {
    if (cause instanceof FairleadError) throw cause;
    throw new FairleadError("unreachable", "The connection to the server broke. Run the command again.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(answer: IncomingMessage, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of piecesOf(answer)) {
    length += chunk.length;
    if (length > limit) throw new FairleadError("too-large", `The answer is longer than ${limit} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
