/** A program for the tests of the claim: holds the state directory it is told until its input ends, and says `claimed` or why not. */

import { Presence } from "../../src/boot/presence.ts";
import { StateDirectory } from "../../src/boot/state.ts";

const [directory = ""] = process.argv.slice(2);

try {
  const state = await StateDirectory.open(directory);
  const presence = await Presence.claim(state, { program: "agent", pid: process.pid });
  await presence.announce({ url: "http://127.0.0.1:9090" });
  process.stdout.write("claimed\n");
  process.stdin.resume().once("end", () => void presence.release());
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
