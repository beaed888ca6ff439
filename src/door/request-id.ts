/** The name of one request: its answer, its problem, and its lines in the log and in the audit have it. */

import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { REQUEST_ID_HEADER } from "../protocol/version.ts";
import { vouchedFor } from "./identity.ts";

const BYTES = 8;
const FORM = /^[0-9a-f]{16}$/;

export function newRequestId(): string {
  return randomBytes(BYTES).toString("hex");
}

/**
 * Made here, and from here on the request's header says it: a client that chose its own could pass for somebody else in
 * the log. Of what comes through a server the server's is taken, which it made in the same way: one name on the whole way.
 */
export function nameRequest(request: IncomingMessage): string {
  const given = request.headers[REQUEST_ID_HEADER];
  const known = vouchedFor(request) !== undefined && typeof given === "string" && FORM.test(given);
  const id = known ? given : newRequestId();
  request.headers[REQUEST_ID_HEADER] = id;
  return id;
}
