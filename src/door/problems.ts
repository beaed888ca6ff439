/** Every refusal leaves the program as the same small document, and never with a stack or a secret in it. */

import type { Duplex } from "node:stream";
import type { FastifyError, FastifyReply } from "fastify";
import { ERRORS, FairleadError, type Problem } from "../protocol/errors.ts";
import { newRequestId } from "./request-id.ts";

export const PROBLEM_TYPE = "application/problem+json";
/** Keeps the whole document below 1 KiB, however the text is escaped. */
const MAX_DETAIL = 400;
const MAX_DETAIL_BYTES = 700;

/** The one answer for what does not exist and for what the caller may not see. */
export function absent(): FairleadError {
  return new FairleadError("not-found", "There is nothing here, or nothing that your credentials reach.");
}

/** Turns anything thrown into words for people; what is nobody's business becomes `internal`. */
export function asFairleadError(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  const { statusCode, code } = error as Partial<FastifyError>;
  if (statusCode === 413) return new FairleadError("too-large", "The request's body is too large.");
  if (code?.startsWith("FST_ERR_") && statusCode !== undefined && statusCode < 500)
    return new FairleadError(
      "bad-request",
      "The request cannot be understood: its address, type or body is malformed.",
    );
  return new FairleadError(
    "internal",
    "The server could not do that because of an error of its own; its log tells more.",
  );
}

/** The document itself, at most 1 KiB; `request` is the id of the request that it answers. */
export function problemOf(error: FairleadError, request: string): Problem {
  const problem = error.problem();
  let detail = problem.detail.slice(0, MAX_DETAIL);
  while (Buffer.byteLength(JSON.stringify(detail)) > MAX_DETAIL_BYTES) detail = detail.slice(0, -16);
  return { ...problem, detail, request };
}

export function sendProblem(reply: FastifyReply, error: FairleadError): FastifyReply {
  if (error.code === "unauthenticated") void reply.header("www-authenticate", 'Bearer realm="fairlead"');
  // As bytes: to a text the framework would add a charset, which JSON does not have.
  const text = Buffer.from(JSON.stringify(problemOf(error, reply.request.id)));
  return reply.code(ERRORS[error.code].http).header("content-type", PROBLEM_TYPE).send(text);
}

/** For a request so broken that there is nothing to reply to: the document on the bare socket, which is then closed. */
export function refuseSocket(socket: Duplex, error: FairleadError, request = newRequestId()): void {
  if (!socket.writable) return void socket.destroy();
  const { http, title } = ERRORS[error.code];
  const text = JSON.stringify(problemOf(error, request));
  const head = [
    `HTTP/1.1 ${http} ${title}`,
    "Connection: close",
    `Content-Type: ${PROBLEM_TYPE}`,
    `X-Request-Id: ${request}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}
