/** Runs inside the container that every figure talks to: small TCP services, and iperf3 beside them. */

import { spawn } from "node:child_process";
import { createServer as createHttp } from "node:http";
import { createServer, type Socket } from "node:net";
import { ECHO_PORT, FIREHOSE_PORT, GREET_PORT, HTTP_PORT } from "./ports.ts";

const CHUNK = Buffer.alloc(65_536, "x");

function echo(socket: Socket): void {
  socket.pipe(socket);
}

function greet(socket: Socket): void {
  socket.resume().write("!");
}

function firehose(socket: Socket): void {
  const pour = () => {
    while (socket.writable && socket.write(CHUNK));
  };
  socket.resume().on("drain", pour);
  pour();
}

function serve(port: number, service: (socket: Socket) => void): void {
  createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    service(socket);
  }).listen({ port, backlog: 1024 });
}

serve(ECHO_PORT, echo);
serve(FIREHOSE_PORT, firehose);
serve(GREET_PORT, greet);
createHttp({ keepAliveTimeout: 60_000 }, (_request, response) => void response.end("hello, world\n")).listen(HTTP_PORT);
spawn("iperf3", ["--server"], { stdio: "ignore" });
process.on("SIGTERM", () => process.exit(0));
