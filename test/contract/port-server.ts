/** A service for the tests of dial, started inside a container's network: GREETING. It ends with its standard input. */

import { createServer, type Socket } from "node:net";

const greeting = process.argv[2] ?? "";
const quiet = (socket: Socket) => socket.on("error", () => {});
let told = "";
const echo = createServer.bind(undefined, { allowHalfOpen: true }, (socket: Socket) => {
  const { localPort: port } = socket;
  socket.on("error", ({ code }: NodeJS.ErrnoException) => (told = `${port} ${code}`)).pipe(socket);
});
/** Cuts whoever says something. */
const reset = createServer.bind(undefined, {}, (socket: Socket) =>
  quiet(socket).once("data", () => socket.resetAndDestroy()),
);
const tell = createServer.bind(undefined, {}, (socket: Socket) => quiet(socket).end(told));
/** Says its piece, ends, and goes on listening. */
const greet = createServer.bind(undefined, { allowHalfOpen: true }, (socket: Socket) => {
  quiet(socket).end(greeting);
  socket.resume();
});

const listening = [
  echo().listen(7000, "0.0.0.0"),
  greet().listen(7001, "0.0.0.0"),
  reset().listen(7002, "0.0.0.0"),
  tell().listen(7003, "0.0.0.0"),
  echo().listen(7010, "127.0.0.1"),
  greet().listen(7011, "127.0.0.1"),
  reset().listen(7012, "127.0.0.1"),
  echo().listen(7020, "::1"),
].map((server) => new Promise((resolve) => server.once("listening", resolve)));
await Promise.all(listening);
console.log("ready");
process.stdin.on("end", () => process.exit()).resume();
