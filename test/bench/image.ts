/** Builds the image the bench runs: busybox, this machine's node and iperf3 with their libraries, and the services. */

import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Cli, run, runInto } from "./command.ts";
import { provide, ROOT } from "./machine.ts";

export const IMAGE = "fairlead-bench";
const SERVER = "/bench/server.ts";

/** Imports {@link IMAGE} into the engine behind `docker`. Its command starts the services of container/server.ts. */
export async function importImage(docker: Cli): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), "fairlead-bench-image-"));
  try {
    const tree = join(place, "tree");
    await provide("busybox");
    await run({ file: join(ROOT, "bin/lib/busybox-tree"), args: [tree, join(place, "busybox.tar")] });
    await addProgram(tree, process.execPath, "/bin/node");
    await addProgram(tree, await provide("iperf3"), "/bin/iperf3");
    await cp(join(import.meta.dirname, "container"), join(tree, dirname(SERVER)), { recursive: true });
    const changes = ["--change", `CMD ["/bin/node", "${SERVER}"]`, "--change", "ENV PATH=/bin"];
    const image = docker.command("import", ...changes, "-", IMAGE);
    await runInto({ file: "tar", args: ["-C", tree, "-c", "."] }, quote(image.file, ...image.args));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Copies a program of this machine and every library that it is linked with, to where its loader looks for them. */
async function addProgram(tree: string, program: string, as: string): Promise<void> {
  await cp(program, join(tree, as), { dereference: true });
  const linked = await run({ file: "ldd", args: [program] });
  for (const library of linked.match(/\/\S+/g) ?? []) await cp(library, join(tree, library), { dereference: true });
}

function quote(...words: string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
