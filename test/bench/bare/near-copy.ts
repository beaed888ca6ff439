/** Makes an archive of one file and sends it to the other program. Arguments: its port, then `cp FILE CONTAINER:/NAME`. */

import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { connect } from "node:net";
import { pack } from "tar-stream";

const [port = "", , file = "", to = ""] = process.argv.slice(2);
const [container, name = ""] = to.split(":/");
const far = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
far.write(`${JSON.stringify({ container })}\n`);
const archive = pack();
const { size } = statSync(file);
createReadStream(file, { highWaterMark: 262_144 }).pipe(archive.entry({ name, size }, () => archive.finalize()));
archive.pipe(far);
const [answer] = (await once(far, "data")) as [Buffer];
if (answer.toString() !== "200") throw new Error(`the engine says ${answer.toString()}`);
far.destroy();
