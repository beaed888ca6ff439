/** What somebody is told who comes to an app's address in vain: a few words as a page, or the usual problem document. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { ERRORS, type FairleadError, type Problem } from "../../../protocol/errors.ts";
import { SAFE_HEADERS } from "../../../door/page.ts";
import { PROBLEM_TYPE, problemOf } from "../../../door/problems.ts";
import { newRequestId } from "../../../door/request-id.ts";
import { REQUEST_ID_HEADER } from "../../../protocol/version.ts";

const HTML = "text/html; charset=utf-8";

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Where one was given already. */
  id?: string;
}

/** Ends the exchange; what the request still sends is not read any more. */
export function refuse({ request, response, id = newRequestId() }: Exchange, error: FairleadError): void {
  const wantsPage = request.headers.accept?.includes("text/html") ?? false;
  const problem = problemOf(error, id);
  const body = Buffer.from(wantsPage ? pageOf(problem) : JSON.stringify(problem));
  if (!request.complete) response.once("finish", () => request.socket.destroySoon());
  response.writeHead(ERRORS[error.code].http, {
    ...SAFE_HEADERS,
    "content-type": wantsPage ? HTML : PROBLEM_TYPE,
    "content-length": body.length,
    [REQUEST_ID_HEADER]: id,
    ...(!request.complete && { connection: "close" }),
  });
  response.end(body);
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
