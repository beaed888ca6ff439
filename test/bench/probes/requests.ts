/** HTTP over plain sockets, so that the client is never what is measured: how many requests a second, how long until the first byte. */

import { once } from "node:events";
import type { Socket } from "node:net";
import { median } from "../statistics.ts";
import { dial } from "./echo.ts";

export interface Place {
  /** On this machine's loopback. */
  port: number;
  host: string;
  /** More headers, each with its line's end. */
  headers: string;
}

/** Requests a second over `connections` kept ones, each asked again as soon as it has answered; all answers have one length. */
export async function requestRate(place: Place, { connections, count }: { connections: number; count: number }) {
  const request = textOf(place);
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(place.port)));
  const length = await answerLength(sockets[0] ?? (await dial(place.port)), request);
  let left = count;
  const began = performance.now();
  await Promise.all(sockets.map((socket) => keepAsking(socket, { request, length, more: () => left-- > 0 })));
  const seconds = (performance.now() - began) / 1_000;
  for (const socket of sockets) socket.destroy();
  return count / seconds;
}

/** Microseconds from a request on a kept connection to the first byte of its answer, median. */
export async function firstByte(place: Place, count: number): Promise<number> {
  const request = textOf(place);
  const socket = await dial(place.port);
  const length = await answerLength(socket, request);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    socket.write(request);
    let [bytes] = (await once(socket, "data")) as [Buffer];
    times.push((performance.now() - began) * 1_000);
    for (let got = bytes.length; got < length; got += bytes.length) [bytes] = (await once(socket, "data")) as [Buffer];
  }
  socket.destroy();
  return median(times);
}

function textOf({ host, headers }: Place): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;
}

/** Rejects with what came instead of a good answer. */
async function answerLength(socket: Socket, request: string): Promise<number> {
  let text = "";
  socket.write(request);
  for (;;) {
    const [bytes] = (await once(socket, "data")) as [Buffer];
    text += bytes.toString("latin1");
    const [, head = "", body = ""] = /^(HTTP\/1.1 200 [\s\S]*?\r\n\r\n)([\s\S]*)$/.exec(text) ?? [];
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (body.length === length) return text.length;
    if (!"HTTP/1.1 200 ".startsWith(text.slice(0, 13))) throw new Error(`the answer is ${text.slice(0, 200)}`);
  }
}

interface Asking {
  request: string;
  length: number;
  /** Whether one more is wanted. */
  more: () => boolean;
}

function keepAsking(socket: Socket, { request, length, more }: Asking): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = 0;
    const next = () => (more() ? void socket.write(request) : resolve());
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.on("data", (bytes) => {
      got += bytes.length;
      if (got < length) return;
      got = 0;
      next();
    });
    next();
  });
}
