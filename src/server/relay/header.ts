/** What a relay reads of a client's request: its header, which says where it goes and what it takes. */

import type { OpenRequest } from "../../mux/channel.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { RelayedHeader } from "../../protocol/relayed.ts";

/** Longest header that is read, in bytes, and longest request that fits into one frame together with its grant. */
const MAX_HEADER = 16_384;
const MAX_REQUEST = 196_608;
/** What the server alone asks of agents: a client that may only see a port's pages, for one, is not given its bytes. */
const OWN_OPERATIONS: ReadonlySet<string> = new Set(["connect", "http", "subjects", "withdraw"]);

const text = new TextDecoder("utf-8", { fatal: true });

/** Throws what the client is refused with. */
export function parseHeader({ header, body }: OpenRequest): RelayedHeader {
  if (header.length > MAX_HEADER) throw new FairleadError("too-large", `A header is at most ${MAX_HEADER} bytes.`);
  if (header.length + body.length > MAX_REQUEST)
    throw new FairleadError("too-large", `Through a server a request is at most ${MAX_REQUEST} bytes.`);
  let value: unknown;
  try {
    value = JSON.parse(text.decode(header));
  } catch {
    throw new FairleadError("bad-request", "The request is not valid JSON.");
  }
  const parsed = RelayedHeader.safeParse(value);
  if (parsed.success) return checked(parsed.data);
  const [issue] = parsed.error.issues;
  if (issue?.path[0] === "node")
    throw new FairleadError(
      "bad-request",
      "This is a server: name the node, as NODE:container, or with --node where there is no container.",
    );
  throw new FairleadError("bad-request", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`);
}

function checked(header: RelayedHeader): RelayedHeader {
  if (!OWN_OPERATIONS.has(header.op)) return header;
  throw new FairleadError("bad-request", `"${header.op}" does not open a session.`);
}
