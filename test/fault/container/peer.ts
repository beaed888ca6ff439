/** Listens inside a container's network: says the payload to whoever connects, and after the end of input its digest. */

import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { pattern } from "../pattern.ts";

const [port, bytes] = process.argv.slice(2).map(Number);
const payload = pattern(bytes ?? 0);

function converse(socket: Socket): void {
  const heard = createHash("sha256");
  socket.on("error", () => socket.destroy());
  socket.on("data", (piece) => heard.update(piece));
  socket.on("end", () => socket.end(heard.digest("hex")));
  socket.write(payload);
}

createServer({ allowHalfOpen: true, noDelay: true }, converse).listen(port, () => console.log("listening"));
process.stdin.on("end", () => process.exit()).resume();
