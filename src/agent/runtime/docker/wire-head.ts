/** The heads of HTTP/1.1 messages, as far as talking to an engine needs them. */

export const MAX_HEAD = 64 * 1024;

export interface WireRequest {
  method: "GET" | "POST" | "PUT";
  /** Without the API's version, with its query; every variable part is encoded already. */
  path: string;
  /** What comes before the path instead of the version that both sides know. */
  api?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Ask for the raw connection (the engine's "hijack"). */
  upgrade?: boolean;
  /** Media type of a body that follows in chunks, once the other side has said that it reads it. */
  streams?: string;
}

export interface Head {
  status: number;
  chunked: boolean;
  /** Content-Length, when there is one. */
  length?: number;
}

export function renderRequest(request: WireRequest): string {
  const body = request.body === undefined ? "" : JSON.stringify(request.body);
  const lines = [`${request.method} ${request.path} HTTP/1.1`, "Host: engine"];
  lines.push(...(request.upgrade ? ["Connection: Upgrade", "Upgrade: tcp"] : ["Connection: close"]));
  if (request.body !== undefined) lines.push("Content-Type: application/json");
  if (request.streams !== undefined)
    lines.push(`Content-Type: ${request.streams}`, "Transfer-Encoding: chunked", "Expect: 100-continue");
  if (request.method === "POST") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** `text` is everything before the empty line. Throws when it is not HTTP. */
export function parseHead(text: string): Head {
  const [first = "", ...fields] = text.split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
  if (!status) throw new Error("the answer is not HTTP");
  const head: Head = { status, chunked: false };
  for (const field of fields) {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    if (name === "transfer-encoding") head.chunked = value.toLowerCase() === "chunked";
    if (name === "content-length" && /^\d{1,15}$/.test(value)) head.length = Number(value);
  }
  return head;
}

/** A query string; undefined values are left out, booleans are 1 and 0. */
export function query(values: Record<string, string | number | boolean | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) search.set(name, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  }
  return search.toString();
}
