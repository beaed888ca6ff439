/** As much of Fairlead's image as a helper container needs, from the sources as they are: quickly made, and without a base. */

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { command, type DockerClient } from "./docker-client.ts";

export const GUEST_IMAGE = "fairlead-guest";
const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));
/** Stands where the built program does. */
const PROGRAM = `import "../../src/agent/runtime/docker/guest/program.ts";`;

/** What ends execs is a script. */
const SHELL = ["sh", "grep", "sleep"];

/** Gives its name. Node is in it as `node`, on the PATH. */
export async function importGuestImage({ docker }: Pick<DockerClient, "docker">): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "fl-guest-"));
  try {
    const home = join(directory, "root/opt/fairlead");
    await mkdir(join(home, "dist/agent"), { recursive: true });
    await writeFile(join(home, "dist/agent/guest.js"), PROGRAM);
    await cp(SOURCES, join(home, "src"), { recursive: true });
    await writeFile(join(home, "package.json"), `{ "type": "module" }`);
    await mkdir(join(home, "bin"));
    await cp(process.execPath, join(home, "bin/node"), { dereference: true });
    await cp(await command("/bin/sh", ["-c", "command -v busybox"]), join(home, "bin/busybox"), { dereference: true });
    for (const name of SHELL) await symlink("busybox", join(home, "bin", name));
    for (const library of await librariesOf(process.execPath)) {
      const place = join(directory, "root", library);
      await mkdir(dirname(place), { recursive: true });
      await cp(library, place, { dereference: true });
    }
    const archive = join(directory, "image.tar");
    await command("tar", ["-C", join(directory, "root"), "-cf", archive, "."]);
    await docker("import", "--change", "ENV PATH=/opt/fairlead/bin", archive, GUEST_IMAGE);
    return GUEST_IMAGE;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Shared libraries, the loader among them. */
async function librariesOf(program: string): Promise<string[]> {
  const listed = await command("ldd", [program]);
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}
