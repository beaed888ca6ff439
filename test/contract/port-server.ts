/** A service for the tests of dial, started inside a container's network; it ends with its standard input. */

import { createServer, type Socket } from "node:net";

const quiet = (socket: Socket) => socket.on("error", () => {});
const echo = createServer.bind(undefined, { allowHalfOpen: true }, (socket: Socket) => quiet(socket).pipe(socket));
const greet = createServer.bind(undefined, { allowHalfOpen: true }, (socket: Socket) =>
  quiet(socket).end("greetings\n"),
);

const listening = [
  echo().listen(7000, "0.0.0.0"),
  echo().listen(7010, "127.0.0.1"),
  greet().listen(7011, "127.0.0.1"),
  echo().listen(7020, "::1"),
].map((server) => new Promise((resolve) => server.once("listening", resolve)));
await Promise.all(listening);
console.log("ready");
process.stdin.on("end", () => process.exit()).resume();
