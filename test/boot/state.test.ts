/** State is private whatever the umask, is never reached through a link, and is replaced whole. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, chown, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readSecretFile, StateError } from "../../src/boot/private-file.ts";
import { StateDirectory } from "../../src/boot/state.ts";

const NOBODY = 65_534;
const STATE_MODULE = new URL("../../src/boot/state.ts", import.meta.url).href;
let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "fairlead-state-"));
});
after(() => rm(root, { recursive: true, force: true }));

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}

/** Resolves with the words of the refusal, which must name the path. */
async function refused(path: string, work: () => Promise<unknown>): Promise<string> {
  const error = await work().then(
    () => assert.fail(`${path} was accepted`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof StateError, String(error));
  assert.ok(error.message.includes(path), error.message);
  return error.message;
}

test("a state directory and its parents are made for their owner alone", async () => {
  const path = join(root, "a", "b", "state");
  const state = await StateDirectory.open(path);
  await state.replace("token", "one");
  assert.equal(await mode(path), 0o700);
  assert.equal(await mode(join(root, "a")), 0o700);
  assert.equal(await mode(join(path, "token")), 0o600);
});

for (const umask of ["0", "0777", "022"])
  test(`files and directories have the same modes under umask ${umask}`, async () => {
    const path = join(root, `umask-${umask}`, "state");
    const script = `process.umask(parseInt(process.argv[1], 8));
      const { StateDirectory } = await import(${JSON.stringify(STATE_MODULE)});
      const state = await StateDirectory.open(process.argv[2]);
      await state.create("created", "x");
      await state.replace("replaced", "x");`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script, umask, path]);
    assert.equal(await mode(path), 0o700);
    assert.equal(await mode(join(path, "created")), 0o600);
    assert.equal(await mode(join(path, "replaced")), 0o600);
  });

test("an existing directory is refused when it is a link, a file, somebody else's or open to others", async () => {
  const real = join(root, "real");
  await mkdir(real, { mode: 0o700 });
  await symlink(real, join(root, "linked"));
  assert.match(await refused(join(root, "linked"), () => StateDirectory.open(join(root, "linked"))), /symbolic link/);

  await writeFile(join(root, "plain"), "");
  assert.match(await refused(join(root, "plain"), () => StateDirectory.open(join(root, "plain"))), /not a directory/);
  await refused(join(root, "plain", "in"), () => StateDirectory.open(join(root, "plain", "in")));

  const foreign = join(root, "foreign");
  await mkdir(foreign, { mode: 0o700 });
  await chown(foreign, NOBODY, NOBODY);
  assert.match(await refused(foreign, () => StateDirectory.open(foreign)), /belongs to user 65534.*chown/);

  const open = join(root, "open");
  await mkdir(open);
  await writeFile(join(open, "content"), "");
  for (const bits of [0o755, 0o750, 0o701, 0o777, 0o1777]) {
    await chmod(open, bits);
    assert.match(await refused(open, () => StateDirectory.open(open)), /chmod 700/);
  }
});

test("a fresh empty volume that others may only read is made private instead of refused", async () => {
  const volume = join(root, "volume");
  await mkdir(volume);
  await chmod(volume, 0o755);
  await StateDirectory.open(volume);
  assert.equal(await mode(volume), 0o700);
});

test("a secret file is read only when it is private, owned and a plain file", async () => {
  const path = join(root, "secret");
  await writeFile(path, "value\n", { mode: 0o600 });
  assert.equal(await readSecretFile(path), "value");
  for (const bits of [0o644, 0o640, 0o604, 0o620, 0o602, 0o601, 0o666]) {
    await chmod(path, bits);
    assert.match(await refused(path, () => readSecretFile(path)), /chmod 600/);
  }
  await chmod(path, 0o400);
  assert.equal(await readSecretFile(path), "value");

  await chown(path, NOBODY, NOBODY);
  assert.match(await refused(path, () => readSecretFile(path)), /chown/);
  await symlink("/etc/hostname", join(root, "pointer"));
  assert.match(await refused(join(root, "pointer"), () => readSecretFile(join(root, "pointer"))), /symbolic link/);
  execFileSync("mkfifo", ["-m", "600", join(root, "pipe")]);
  assert.match(await refused(join(root, "pipe"), () => readSecretFile(join(root, "pipe"))), /not a regular file/);
  assert.match(await refused(root, () => readSecretFile(root)), /not a regular file/);
  assert.match(await refused(join(root, "none"), () => readSecretFile(join(root, "none"))), /does not exist/);
  await writeFile(join(root, "empty"), " \n", { mode: 0o600 });
  assert.match(await refused(join(root, "empty"), () => readSecretFile(join(root, "empty"))), /empty/);
});

test("create writes a new file once and leaves an existing one alone", async () => {
  const state = await StateDirectory.open(join(root, "create"));
  assert.equal(await state.create("name", "first"), true);
  assert.equal(await state.create("name", "second"), false);
  assert.equal(await state.read("name"), "first");
  await symlink("/nowhere", join(state.path, "planted"));
  assert.equal(await state.create("planted", "x"), false);
  assert.deepEqual((await readdir(state.path)).sort(), ["name", "planted"]);
});

test("create lets several programs try at once: one makes the file, whole, and the others are told that it is there", async () => {
  const path = join(root, "rivals");
  const contents = Array.from({ length: 8 }, (_, n) => String(n).repeat(10_000));
  const states = await Promise.all(contents.map(() => StateDirectory.open(path)));
  for (let round = 0; round < 20; round += 1) {
    const name = `name-${round}`;
    const made = await Promise.all(states.map((state, n) => state.create(name, contents[n] ?? "")));
    assert.deepEqual(made.filter(Boolean), [true]);
    assert.equal(await states[0]?.read(name), contents[made.indexOf(true)]);
  }
  assert.equal((await readdir(path)).length, 20);
});

test("replace never writes through a planted link and leaves other names of the old file alone", async () => {
  const state = await StateDirectory.open(join(root, "replace"));
  const victim = join(root, "victim");
  await writeFile(victim, "untouched");
  await symlink(victim, join(state.path, "name"));
  await symlink(victim, join(state.path, "name.new"));
  await state.replace("name", "ours");
  await link(join(state.path, "name"), join(root, "old-name"));
  await state.replace("name", "newer");
  assert.equal(await readFile(victim, "utf8"), "untouched");
  assert.equal(await readFile(join(root, "old-name"), "utf8"), "ours");
  assert.equal(await state.read("name"), "newer");
});

test("many replacements at once end with the last one, and a reader never sees a mixture", async () => {
  const state = await StateDirectory.open(join(root, "busy"));
  const contents = Array.from({ length: 50 }, (_, n) => String(n).repeat(10_000));
  const writes = Promise.all(contents.map((content) => state.replace("name", content)));
  for (const _ of contents) {
    const seen = await state.read("name");
    assert.ok(seen === undefined || contents.includes(seen));
  }
  await writes;
  assert.equal(await state.read("name"), contents.at(-1));
  await state.remove("name");
  await state.remove("name");
  assert.equal(await state.read("name"), undefined);
});

test("a full disk keeps the old content and says so", async () => {
  const mount = join(root, "small");
  await mkdir(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "none", mount]);
  try {
    const state = await StateDirectory.open(mount);
    await state.replace("name", "old");
    assert.match(await refused(mount, () => state.replace("name", Buffer.alloc(2 * 1024 * 1024))), /disk is full/);
    assert.equal(await state.read("name"), "old");
    await state.replace("name", "new");
    assert.equal(await state.read("name"), "new");
  } finally {
    execFileSync("umount", [mount]);
  }
});
