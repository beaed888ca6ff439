/** What somebody is told who comes to an app's address in vain: a few words as a page, or the usual problem document. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { ERRORS, FairleadError, type Problem } from "../../protocol/errors.ts";
import { SAFE_HEADERS } from "../page.ts";
import { PROBLEM_TYPE, problemOf } from "../problems.ts";
import { newRequestId } from "../request-id.ts";
import { REQUEST_ID_HEADER } from "../../protocol/version.ts";
import { phraseOf } from "./headers.ts";

const HTML = "text/html; charset=utf-8";

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Its name, where somebody had to call it by one. */
  id?: string;
}

/** Ends the exchange; what the request still sends is not read any more. */
export function refuse({ request, response, id = newRequestId() }: Exchange, error: FairleadError): void {
  const wantsPage = request.headers.accept?.includes("text/html") ?? false;
  const problem = problemOf(error, id);
  const body = Buffer.from(wantsPage ? pageOf(problem) : JSON.stringify(problem));
  if (!request.complete) response.once("finish", () => request.socket.destroySoon());
  // An app's answer may have begun that nobody has heard of.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const status = ERRORS[error.code].http;
  response.writeHead(status, phraseOf(status), {
    ...SAFE_HEADERS,
    "content-type": wantsPage ? HTML : PROBLEM_TYPE,
    "content-length": body.length,
    [REQUEST_ID_HEADER]: id,
    ...(!request.complete && { connection: "close" }),
  });
  response.end(body);
}

export function badAnswer(why: string): FairleadError {
  return new FairleadError("bad-answer", `What listens on that port does not answer as HTTP should: ${why}.`);
}

/** Its first word did not come within so many milliseconds. */
export function noAnswer(ms: number): FairleadError {
  return new FairleadError("no-answer", `The app took longer than ${Math.round(ms / 1_000)} s to begin its answer.`);
}

/** Why an app has not answered, or has in a way that nobody can be told. */
export function toldOf(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  const { code, name } = error as NodeJS.ErrnoException;
  if (code === "ERR_UPSTREAM_UPGRADE_TIMEOUT")
    return new FairleadError("no-answer", "The app did not answer the request for a WebSocket in time.");
  if (code === "HPE_HEADER_OVERFLOW" || code === "UND_ERR_HEADERS_OVERFLOW")
    return badAnswer("its headers are longer than 16 KiB");
  if (code === "ERR_INVALID_CHAR") return badAnswer("its headers hold characters that none may");
  // Of undici's parser the name tells (8.12.4: it looks for its code where there is none).
  if (code?.startsWith("HPE_") || name === "HTTPParserError") return badAnswer("that is not HTTP");
  return badAnswer("it broke the connection off");
}

function pageOf({ title, detail }: Problem): string {
  const words = { title: escape(title), detail: escape(detail) };
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">` +
    `<title>${words.title}</title><h1>${words.title}</h1><p>${words.detail}</p></html>\n`
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`);
}
