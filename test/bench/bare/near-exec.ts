/** The keyboard and the screen of a command that the other program runs. Arguments: its port, then `exec [-i] CONTAINER COMMAND...`. */

import { connect } from "node:net";

const [port = "", , ...words] = process.argv.slice(2);
const interactive = words[0] === "-i";
const [container, ...command] = interactive ? words.slice(1) : words;
const far = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
far.write(`${JSON.stringify({ container, command })}\n`);
if (interactive) process.stdin.pipe(far);
far.pipe(process.stdout);
far.once("end", () => process.stdin.destroy());
