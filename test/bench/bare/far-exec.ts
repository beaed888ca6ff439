/**
 * Runs a command in a container for each connection, and passes its bytes on as they come. The first line of a connection
 * says what, as JSON: `{ container, command }`. Arguments: the local port, the engine's socket. Says "ready".
 */

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import Docker from "dockerode";

const [local = "", socketPath = ""] = process.argv.slice(2);
const docker = new Docker({ socketPath });

async function serve(near: Socket): Promise<void> {
  const [first] = (await once(near, "data")) as [Buffer];
  near.pause();
  const end = first.indexOf("\n");
  near.unshift(first.subarray(end + 1));
  const { container, command } = JSON.parse(first.toString("utf8", 0, end)) as { container: string; command: string[] };
  const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
  const exec = await docker.getContainer(container).exec({ Cmd: command, ...streams });
  const far = await exec.start({ hijack: true, stdin: true });
  docker.modem.demuxStream(far, near, process.stderr);
  near.pipe(far);
  far.once("end", () => near.end());
  near.on("error", () => far.destroy());
}

const server = createServer({ noDelay: true }, (near) => void serve(near).catch(() => near.destroy()));
server.listen(Number(local), "127.0.0.1", () => process.stdout.write("ready\n"));
