/** What hostile peers write: requests that two readers would read in two ways, handshakes and frames that are none. */

import { SESSIONS_PATH, SUBPROTOCOL } from "../../src/protocol/version.ts";
import { bytes, frame, head } from "./hostile-bytes.ts";

const LIST = "/api/v1/containers";
const MANY = 200_000;

export interface Victim {
  /** As it stands in `Host`. */
  host: string;
  /** `Authorization: Bearer` and the agent's own token. */
  proof: string;
  /** The path of an exec that leaves a file behind. */
  exec: string;
}

/** A name, and the bytes that are written on a connection of their own. */
export type Row = [name: string, said: string];

/** Nobody's requests: none has a credential. */
export function strangers({ host, exec }: Victim): Row[] {
  const own = `Host: ${host}`;
  const targets: Row[] = [
    "/%252e%252e/api/v1/containers",
    "/healthz/..;/api/v1/containers",
    "/%c0%ae%c0%ae/api/v1/containers",
    "/healthz/\xc0\xae\xc0\xae/api/v1/containers",
    "/healthz%0d%0aX:%20y/api/v1/containers",
    "/api/v1/containers\x00/healthz",
    "/api/v1/containers\t/healthz",
    "/api/v1/containers /healthz",
    "/%ud83d%udca9",
    "api/v1/containers",
    "*",
    `http://127.0.0.1@${host}${LIST}`,
    `/${"../".repeat(5_000)}api/v1/containers`,
  ].map((target) => [`GET ${JSON.stringify(target).slice(0, 50)}`, head(`GET ${target} HTTP/1.1`, own)]);
  const methods: Row[] = ["CONNECT", "TRACE", "TRACK", "OPTIONS", "HEAD", "PUT", "get", "Get", "G\x00ET", "GET\t"].map(
    (method) => [`the method ${JSON.stringify(method)}`, head(`${method} ${LIST} HTTP/1.1`, own)],
  );
  const versions: Row[] = [
    "HTTP/1.0",
    "HTTP/1.2",
    "HTTP/2.0",
    "HTTP/01.1",
    "http/1.1",
    "HTTP/1.1 x",
    "ICY/1.0",
    "",
  ].map((version) => [`the version ${JSON.stringify(version)}`, head(`GET ${LIST} ${version}`, own)]);
  const claims: Row[] = [
    "X-Forwarded-For: 127.0.0.1",
    "X-Original-URL: /healthz",
    "X-HTTP-Method-Override: GET",
    "X-Remote-User: local",
    "Cookie: \x00=\x00; __proto__=x",
  ].map((claim) => [JSON.stringify(claim), head(`GET ${LIST} HTTP/1.1`, own, claim)]);
  return [
    ...targets,
    ...methods,
    ...versions,
    ...claims,
    ["CONNECT to an address", head(`CONNECT ${host} HTTP/1.1`, own)],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
    ["a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".padEnd(200, "\x7f")],
    ["nothing but line ends", "\r\n".repeat(MANY)],
    ["a method without an end", "G".repeat(MANY)],
    ["a header without an end", `GET ${LIST} HTTP/1.1\r\n${own}\r\nX: ${"x".repeat(MANY)}`],
    ["headers without an end", `GET ${LIST} HTTP/1.1\r\n${own}\r\n${"X: y\r\n".repeat(MANY)}`],
    ["an exec without a credential", head(`GET ${exec} HTTP/1.1`, own, ...handshake())],
  ];
}

/** Requests with the agent's own token, each made in two ways at once: none may be understood in either. */
export function twofold({ host, proof }: Victim): Row[] {
  const own = `Host: ${host}`;
  const asking = (...headers: string[]) => head(`GET ${LIST} HTTP/1.1`, ...headers);
  const post = (body: string, ...headers: string[]) =>
    head("POST /api/v1/tickets HTTP/1.1", own, proof, "Content-Type: application/json", ...headers) + body;
  const inner = asking(own, proof);
  const fillers = Array.from({ length: 100 }, (_, at) => `X-${at}: y`);
  const bodies: Row[] = (
    [
      ["two lengths", "Content-Length: 0", `Content-Length: ${inner.length}`],
      ["two lengths in one", `Content-Length: 0, ${inner.length}`],
      ["a length and chunks", `Content-Length: ${inner.length + 5}`, "Transfer-Encoding: chunked"],
      ["chunks and a length", "Transfer-Encoding: chunked", `Content-Length: ${inner.length + 5}`],
      ["a length below nothing", "Content-Length: -1"],
      ["a length with a sign", "Content-Length: +0"],
      ["a length beyond counting", "Content-Length: 18446744073709551616"],
      ["chunks that are not last", "Transfer-Encoding: chunked, identity"],
      ["chunks by another name", "Transfer-Encoding: xchunked"],
      ["a space before the colon", "Transfer-Encoding : chunked"],
      ["a folded coding", "Transfer-Encoding:\r\n chunked"],
      ["a folded length", "Content-Length:\r\n 0"],
      ["a bare line feed", `X: y\nTransfer-Encoding: chunked`],
      ["a bare carriage return", `X: y\rTransfer-Encoding: chunked`],
      ["NUL in a name", "X\x00Y: z"],
      ["NUL in a value", "X: y\x00z"],
    ] as [string, ...string[]][]
  ).map(([name, ...headers]) => [name, post(`0\r\n\r\n${inner}`, ...headers)]);
  const chunks: Row[] = ["0x1", "+1", "-1", "1 1", "FFFFFFFFFFFFFFFFF", "", "1\n", `1;${"x".repeat(MANY)}`].map(
    (size) => [
      `a chunk of ${JSON.stringify(size).slice(0, 24)} bytes`,
      post(`${size}\r\nx\r\n0\r\n\r\n${inner}`, "Transfer-Encoding: chunked"),
    ],
  );
  return [
    ...bodies,
    ...chunks,
    ["a second Host", asking(own, "Host: evil.test", proof)],
    ["a folded Host", asking(`Host: ${host}\r\n .evil.test`, proof)],
    ["a second Host behind a hundred headers", asking(own, proof, ...fillers, "Host: evil.test")],
    ["a foreign Origin behind a hundred headers", asking(own, proof, ...fillers, "Origin: http://evil.test")],
    ["a second Origin", asking(own, proof, `Origin: http://${host}`, "Origin: http://evil.test")],
    ["trailers without an end", post(`0\r\n${"X: y\r\n".repeat(MANY)}`, "Transfer-Encoding: chunked")],
    ["a body without an end", post(`FFFFFF\r\n${"x".repeat(MANY)}`, "Transfer-Encoding: chunked")],
  ];
}

/** Tokens that are none, or one too many. The agent counts them: ten in a minute, and it looks at no more. */
export function credentials({ host, proof }: Victim): Row[] {
  const wrong = `Authorization: Bearer ${"x".repeat(43)}`;
  const pairs = [["Authorization: Bearer"], [proof, wrong], [wrong, proof], [proof, proof]];
  const names = [
    "an empty token",
    "a wrong token behind the right one",
    "the right one behind a wrong one",
    "one twice",
  ];
  return pairs.map((pair, at) => [names[at] ?? "", head(`GET ${LIST} HTTP/1.1`, `Host: ${host}`, ...pair)]);
}

/** Handshakes for an exec, with the agent's own token: none of them is one. */
export function handshakes({ host, proof, exec }: Victim): Row[] {
  const start = [`GET ${exec} HTTP/1.1`, `Host: ${host}`, proof] as const;
  const without = (name: string, ...more: string[]) =>
    head(...start, ...handshake().filter((line) => !line.startsWith(`${name}:`)), ...more);
  const other = (header: string) => without(header.split(":")[0] ?? "", header);
  return [
    ...["", " 7", " 14", " 13, 8", " -13"].map((version): Row => {
      return [`the version${version || " of nothing"}`, other(`Sec-WebSocket-Version:${version}`)];
    }),
    ...["", "x", "A".repeat(23), "A".repeat(24), "A".repeat(9_000), "AQEBAQEBAQEBAQEBAQEBAQ==, x"].map((key): Row => {
      return [`a key of ${key.length} characters`, other(`Sec-WebSocket-Key: ${key}`)];
    }),
    ["no version", without("Sec-WebSocket-Version")],
    ["no key", without("Sec-WebSocket-Key")],
    ["two keys", head(...start, ...handshake(), "Sec-WebSocket-Key: AgICAgICAgICAgICAgICAg==")],
    ["two upgrades", head(...start, ...handshake(), "Upgrade: h2c")],
    ["another upgrade", other("Upgrade: h2c")],
    ["no upgrade", without("Upgrade")],
    ["a protocol that nobody speaks", other("Sec-WebSocket-Protocol: v9.channel.k8s.io")],
    ["more than a hundred headers", head(...start, ...Array.from({ length: 2_000 }, () => "X: y"), ...handshake())],
    ["a POST", head(start[0].replace("GET", "POST"), ...start.slice(1), ...handshake())],
    ["HTTP/1.0", head(start[0].replace("1.1", "1.0"), ...start.slice(1), ...handshake())],
  ];
}

/** The headers that make a handshake. */
export function handshake(protocol = "v5.channel.k8s.io"): string[] {
  return [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AQEBAQEBAQEBAQEBAQEBAQ==",
    `Sec-WebSocket-Protocol: ${protocol}`,
  ];
}

/** What follows a good handshake, and the codes with which it may end. */
export type Breach = [name: string, said: Uint8Array, ...codes: number[]];

const [TEXT, DATA, MORE] = [0x81, 0x82, 0x80];
const [CLOSE, PING] = [0x88, 0x89];
const WRONG = 1002;

export const breaches: Breach[] = [
  ["a frame without a mask", bytes("\x82\x01x"), WRONG],
  ["a request instead of a frame", bytes(head(`GET ${LIST} HTTP/1.1`, "Host: localhost")), WRONG],
  ...[0x40, 0x20, 0x10].map((bit): Breach => [`the reserved bit ${bit}`, frame(DATA | bit, bytes("x")), WRONG]),
  ...[3, 7, 11, 15].map((code): Breach => [`the reserved opcode ${code}`, frame(0x80 | code, bytes("x")), WRONG]),
  ["a compressed frame", frame(DATA | 0x40, bytes("\xcaH\xcd\xc9\xc9\x07\x00")), WRONG],
  ["a ping that is too large", frame(PING, Buffer.alloc(126)), WRONG],
  ["a ping in pieces", frame(0x09, bytes("x")), WRONG],
  ["a continuation of nothing", frame(MORE, bytes("x")), WRONG],
  ["a message within a message", Buffer.concat([frame(0x02, bytes("x")), frame(DATA, bytes("y"))]), WRONG],
  ["a text in no UTF-8", frame(TEXT, bytes("\xc0\xae")), 1007],
  ["half a close code", frame(CLOSE, bytes("x")), WRONG],
  ["a close code that is none", frame(CLOSE, bytes("\x03\xed")), WRONG],
  ["a goodbye in no UTF-8", frame(CLOSE, bytes("\x03\xe8\xff")), 1007],
  ["a frame of 2^63 bytes", Buffer.from("82ffffffffffffffffff", "hex"), 1009, WRONG],
  ["a frame of 2^53 bytes", Buffer.from("82ff0020000000000000", "hex"), 1009, WRONG],
];

/** An ordinary connection of the session door's. */
export function session({ host, proof }: Victim): string {
  return head(`GET ${SESSIONS_PATH} HTTP/1.1`, `Host: ${host}`, proof, ...handshake(SUBPROTOCOL));
}
