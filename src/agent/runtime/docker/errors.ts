/** Turns what the engine, its socket and its answers say into RuntimeError: by status and error code, not by message where there is a code. */

import { RuntimeError, type RuntimeErrorCode } from "../runtime.ts";
import { codeFromWords } from "./dialect.ts";

/** The engine's words are quoted at most this far: they end up on screens and in audit lines. */
const MAX_WORDS = 600;

const BY_STATUS = new Map<number, RuntimeErrorCode>([
  [400, "invalid"],
  [404, "not-found"],
  [409, "not-running"],
  [501, "unsupported"],
  [503, "engine-unavailable"],
]);

const CONNECT_WORDS = new Map<string, string>([
  ["ENOENT", "the socket does not exist; is the engine running, and is the address right?"],
  ["ECONNREFUSED", "nobody listens there; is the engine running?"],
  ["EACCES", "no permission to use the socket; run as root or join the socket's group"],
  ["EPERM", "no permission to use the socket; run as root or join the socket's group"],
  ["CERT_HAS_EXPIRED", "its certificate has ended"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "it does not speak TLS; leave docker_cert_path and docker_tls_verify out"],
]);
/** OpenSSL has many codes for each of these two. */
const TLS_WORDS: [RegExp, string][] = [
  [
    /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_SIGNATURE)/,
    "its certificate is not of the authority whose ca.pem is in docker_cert_path",
  ],
  [
    /ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE)/,
    "it refuses the client certificate in docker_cert_path",
  ],
];
/** What Go's HTTP server says by itself, before the engine has a look; there is no code for it. */
const WANTS_TLS = "Client sent an HTTP request to an HTTPS server";

/** An answer with an HTTP status outside 2xx; `words` is the engine's own message. */
export function errorFromStatus(status: number, words: string): RuntimeError {
  if (words.includes(WANTS_TLS))
    return new RuntimeError("engine-unavailable", "The engine wants TLS; set docker_cert_path.");
  const code = BY_STATUS.get(status) ?? codeFromWords(words);
  return new RuntimeError(code, quote(words) || `The engine answered with status ${status} and no words.`);
}

/** Anything thrown while talking to the engine at `host`. A RuntimeError passes through unchanged. */
export function errorFromCause(cause: unknown, host: string): RuntimeError {
  if (cause instanceof RuntimeError) return cause;
  const status = property(cause, "statusCode");
  if (typeof status === "number") return errorFromStatus(status, engineWords(cause));
  const code = systemCode(cause);
  const tls = TLS_WORDS.find(([pattern]) => pattern.test(code))?.[1];
  const words = CONNECT_WORDS.get(code) ?? tls ?? quote(describe(cause));
  return new RuntimeError("engine-unavailable", `The engine at ${host} does not answer: ${words}`, { cause });
}

/** The engine's message inside an error of the REST client, or the error's own. */
function engineWords(cause: unknown): string {
  const message = property(property(cause, "json"), "message");
  return typeof message === "string" ? message : describe(cause);
}

/** One line, without control characters, bounded. */
export function quote(words: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a terminal
  const line = words.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}...` : line;
}

/** An error's message, whatever was thrown. */
export function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The `code` of a system error such as ECONNREFUSED, or "". */
export function systemCode(cause: unknown): string {
  const code = property(cause, "code");
  return typeof code === "string" ? code : "";
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
