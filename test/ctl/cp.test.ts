import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { promisify } from "node:util";
import { Progress } from "../../src/ctl/copy/progress.ts";
import { Transfer } from "../../src/ctl/copy/transfer.ts";
import { Messages } from "../../src/ctl/messages.ts";
import { Output } from "../../src/ctl/output.ts";
import { connectTo } from "../fault/stage.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { auditOf } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { Proxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { type Ended, runCtl, runShell, shellWords, startCtl, TerminalRun } from "./ctl.ts";

const MIB = 1024 * 1024;
const command = promisify(execFile);

suite("ctl cp", () => {
  let engine: Engine;
  let agent: TestAgent;
  /** A directory of this machine, new for each test. */
  let here: string;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    await engine.run("ctl-cp");
    await engine.docker(
      "exec",
      "ctl-cp",
      "sh",
      "-c",
      "mkdir -p /data/sub; echo one >/data/one; echo two >/data/sub/two",
    );
  });
  beforeEach(async () => {
    here = await mkdtemp(join(tmpdir(), "fl-cp-"));
    await mkdir(join(here, "tree", "sub"), { recursive: true });
    await writeFile(join(here, "tree", "a"), "a\n");
    await writeFile(join(here, "tree", "sub", "b"), "b\n");
    await symlink("a", join(here, "tree", "link"));
  });
  afterEach(() => rm(here, { recursive: true, force: true }));
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-cp");
  });

  const cp = (...args: string[]): Promise<Ended> => runCtl(agent, ["cp", ...args]);
  const ok = async (...args: string[]): Promise<Ended> => {
    const ended = await cp(...args);
    assert.deepEqual([ended.code, ended.stderr], [0, ""], args.join(" "));
    return ended;
  };
  const inside = (script: string) => engine.docker("exec", "ctl-cp", "sh", "-c", script);
  /** Every path below a directory with what it holds, as a shell says it: the same words on both sides. */
  const LIST = 'cd "$0" && for f in $(find . | sort); do [ -d $f ] && echo $f/ || echo $f $(cat $f); done';
  const tree = async (path: string) => (await command("sh", ["-c", LIST, path])).stdout.trim();
  const treeInside = (path: string) => engine.docker("exec", "ctl-cp", "sh", "-c", LIST, path);

  test("a copy of which the agent never says what it has moved is none", async () => {
    const client = connectTo(agent);
    const messages = new Messages({ output: new Output(() => process.stderr), started: Date.now() });
    try {
      // An exec ends as a copy does, and has no digest.
      for (const way of ["receive", "send"] as const) {
        const session = await client.exec("ctl-cp", { command: ["echo", "bytes"], tty: false, stdin: true });
        const transfer = new Transfer({ session, key: randomBytes(16), progress: new Progress(messages, "a copy") });
        const whole = way === "receive" ? drained(transfer.receive()) : transfer.send(nothing());
        await assert.rejects(whole, /did not say what it has moved/, way);
      }
    } finally {
      await client.close();
    }
  });

  test("what lands where is what docker cp does, out of a container", async () => {
    for (const [source, destination] of [
      ["/data/one", "."],
      ["/data/one", "tree/a"],
      ["data/sub", "."],
      ["/data/sub", "new"],
      ["/data/sub/.", "tree"],
      ["/data/.", "new/"],
      ["/data/one", "leads"],
      ["/data/sub", "leads"],
    ] as const) {
      const [ours, theirs] = [join(here, "ours"), join(here, "theirs")];
      for (const place of [ours, theirs]) {
        await rm(place, { recursive: true, force: true });
        await command("cp", ["-a", join(here, "tree"), place]);
        await command("cp", ["-a", join(here, "tree"), join(place, "tree")]);
        await symlink("tree/later", join(place, "leads"));
      }
      await ok(`ctl-cp:${source}`, `${ours}/${destination}`);
      await engine.docker("cp", `ctl-cp:${source}`, `${theirs}/${destination}`);
      assert.equal(await tree(ours), await tree(theirs), `${source} ${destination}`);
    }
  });

  test("what lands where is what docker cp does, into a container", async () => {
    for (const [source, destination] of [
      ["tree/a", "/x"],
      ["tree/a", "/x/new"],
      ["tree/a", "/x/one"],
      ["tree/a", "/x/toone"],
      ["tree/sub/.", "/x/sub"],
      ["tree", "/x/new"],
      ["tree/link", "/x"],
    ] as const) {
      const seen: string[] = [];
      for (const program of [ok, (...args: string[]) => engine.docker("cp", ...args)]) {
        await inside("rm -rf /x; cp -a /data /x; ln -s one /x/toone");
        await program(`${here}/${source}`, `ctl-cp:${destination}`);
        seen.push(await treeInside("/x"));
      }
      assert.equal(seen[0], seen[1], `${source} ${destination}`);
    }
  });

  test("owners, rights and times: root's over there, yours here, and as they were with --archive", async () => {
    await command("sh", [
      "-c",
      `chown 1234:77 ${here}/tree/a; chmod 640 ${here}/tree/a; touch -d @1000000000 ${here}/tree/a`,
    ]);
    const facts = "stat -c '%u:%g %a %Y'";
    await ok(`${here}/tree/a`, "ctl-cp:/tmp/plain");
    await ok("-a", `${here}/tree/a`, "ctl-cp:/tmp/kept");
    assert.equal(await inside(`${facts} /tmp/plain /tmp/kept`), "0:0 640 1000000000\n1234:77 640 1000000000");
    await ok("ctl-cp:/tmp/kept", `${here}/plain`);
    await ok("-a", "ctl-cp:/tmp/kept", `${here}/kept`);
    const { stdout } = await command("sh", ["-c", `${facts} ${here}/plain ${here}/kept`]);
    assert.equal(stdout, `${process.getuid?.()}:${process.getgid?.()} 640 1000000000\n1234:77 640 1000000000\n`);
  });

  test("what nobody may read is read by nobody afterwards", async () => {
    await command("sh", ["-c", `cd ${here}; mkdir shut; echo secret >shut/small; head -c 99999 /dev/zero >shut/large`]);
    await command("sh", ["-c", `cd ${here}; chmod 0 shut/small shut/large shut`]);
    await ok(`${here}/shut`, "ctl-cp:/tmp");
    assert.equal(await inside("stat -c %a /tmp/shut /tmp/shut/small /tmp/shut/large"), "0\n0\n0");
    await ok("ctl-cp:/tmp/shut", `${here}/back`);
    const { stdout } = await command("sh", ["-c", `cd ${here}; stat -c %a back back/small back/large`]);
    assert.equal(stdout, "0\n0\n0\n");
  });

  test("owners and times that a tar header has no room for are as they were, too", async () => {
    const made = "mkdir /tmp/odd; cd /tmp/odd; touch old large late; ln -s old link; touch -d @-315619200 old";
    await inside(`${made}; touch -d @4102444800 late; chown 300000:4294967290 large; chown -h 2000000001 link`);
    const facts = (path: string) => `cd ${path}; stat -c '%n %u:%g' large link; stat -c '%n %Y' late old`;
    const kept = "large 300000:4294967290\nlink 2000000001:0\nlate 4102444800\nold -315619200";
    assert.equal(await inside(facts("/tmp/odd")), kept);
    await ok("-a", "ctl-cp:/tmp/odd", here);
    const { stdout } = await command("sh", ["-c", facts(join(here, "odd"))]);
    assert.equal(stdout.trim(), kept);
    await ok("-a", `${here}/odd`, "ctl-cp:/tmp/odd-back");
    // An engine may know no time before 1970.
    assert.equal((await inside(facts("/tmp/odd-back"))).replace("old 0", "old -315619200"), kept);
  });

  test("archives go through pipes, and standard output is the archive alone", async () => {
    const there = shellWords("cp", "-", "ctl-cp:/tmp");
    const back = shellWords("cp", "ctl-cp:/tmp/tree", "-");
    const { code, stdout, stderr } = await runShell(
      agent,
      `set -o pipefail; tar c -C ${here} tree | ${there} && ${back} | tar t | sort`,
    );
    assert.equal(stderr, "");
    assert.deepEqual(
      [code, stdout.toString().trim().split("\n")],
      [0, ["tree/", "tree/a", "tree/link", "tree/sub/", "tree/sub/b"]],
    );
  });

  test("a compressed archive is not passed on to the engine (CVE-2026-41567)", async () => {
    const { stderr, code } = await runShell(agent, `tar cz -C ${here} tree | ${shellWords("cp", "-", "ctl-cp:/tmp")}`);
    assert.equal(code, 2);
    assert.match(stderr, /is compressed\. Unpack it first/);
  });

  test("containers that do not run, and that have no tar, are copied from and to", async () => {
    await engine.docker("create", "--name", "ctl-cp-stopped", "noshell");
    await ok(`${here}/tree`, "ctl-cp-stopped:/");
    await ok("ctl-cp-stopped:/tree", `${here}/back`);
    await engine.docker("rm", "ctl-cp-stopped");
    assert.equal(await tree(join(here, "back")), await tree(join(here, "tree")));
  });

  test("thousands of files, empty ones, long names and odd ones arrive as they are", async () => {
    const many = join(here, "many");
    const names = [...Array.from({ length: 2000 }, (_, i) => `f${i}`), "ü 日本", "-rf", "x".repeat(200), " ", "a\nb"];
    await mkdir(join(many, "y".repeat(150), "empty"), { recursive: true });
    for (const [i, name] of names.entries()) await writeFile(join(many, name), "z".repeat(i % 1100));
    await ok(many, "ctl-cp:/tmp/many");
    await ok("ctl-cp:/tmp/many", join(here, "back"));
    await command("diff", ["-r", many, join(here, "back")]);
  });

  test("links are kept, and -L copies what the source leads to", async () => {
    await inside("ln -sf one /data/l");
    const refused = await cp("ctl-cp:/data/l", here);
    assert.deepEqual(
      [refused.code, refused.stderr],
      [1, "ctl: ctl-cp:/data/l is a link to /data/one. Add -L to copy what it leads to.\n"],
    );
    await ok("-L", "ctl-cp:/data/l", here);
    assert.equal(await readFile(join(here, "l"), "utf8"), "one\n");
    await ok("-L", join(here, "tree/link"), "ctl-cp:/tmp/followed");
    assert.equal(await inside("cat /tmp/followed; readlink /tmp/followed || echo a file"), "a\na file");
    await inside("rm /data/l");
  });

  test("what cannot be done is said in words, with exit code 1, and leaves nothing", async () => {
    const cases: [string[], RegExp][] = [
      [["ctl-cp:/nope", here], /There is no \/nope in the container/],
      [[join(here, "nope"), "ctl-cp:/"], /There is no .*nope here/],
      [["ctl-cp:/data", join(here, "tree/a")], /is a file; a directory is needed/],
      [[join(here, "tree"), "ctl-cp:/data/one"], /is a file; a directory is needed/],
      [["ctl-cp:/data", join(here, "no/where")], /The directory .*no does not exist/],
      [[join(here, "tree/a"), "ctl-cp:/no/where"], /There is no \/no in the container/],
      [["ctl-cp:/data/one", "/dev/null"], /neither a file nor a directory/],
      [["ctl-cp:/data/one", join(here, "tree/a/b")], /^ctl: .*tree\/a is not a directory\.\n$/],
      [[join(here, "tree/a/b"), "ctl-cp:/"], /^ctl: .*tree\/a\/b: not a directory\.\n$/],
      [["ctl-cp:/data/one", "x".repeat(300)], /^ctl: x+: name too long\.\n$/],
    ];
    for (const [args, words] of cases) {
      const { code, stderr } = await cp(...args);
      assert.equal(code, 1, args.join(" "));
      assert.match(stderr, words);
    }
    for (const args of [
      ["a", "b"],
      ["x:/a", "y:/b"],
      ["ctl-cp:", "."],
    ])
      assert.equal((await cp(...args)).code, 2, args.join(" "));
    assert.deepEqual(await readdir(here), ["tree"]);
  });

  test("what a container has beside files is left out, told, and shows in the exit code", async () => {
    await inside("mkdir /odd; mkfifo /odd/pipe; ln -s /etc/passwd /odd/leaves; echo fine >/odd/file");
    const { code, stderr } = await cp("ctl-cp:/odd", here);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^ctl: Left out leaves: it is a link to \/etc\/passwd.*\nctl: Left out pipe: it is a fifo\.\n$/,
    );
    assert.deepEqual(await readdir(join(here, "odd")), ["file"]);
  });

  test("Ctrl-C leaves nothing here, and lets go of the container", async () => {
    await inside("dd if=/dev/zero of=/tmp/large bs=1M count=400 2>/dev/null");
    const run = startCtl(agent, "cp", "ctl-cp:/tmp/large", join(here, "large"));
    await until("the copy to begin", async () =>
      (await readdir(here)).some((name) => name.startsWith(".fairlead-cp-")),
    );
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 130);
    assert.deepEqual(await readdir(here), ["tree"]);
    await inside("rm /tmp/large");
  });

  for (const [way, direction] of [
    ["down", "out of"],
    ["up", "into"],
  ] as const)
    test(`a connection that is cut again and again changes no byte of a copy ${direction} a container`, async () => {
      const bytes = randomBytes(24 * MIB);
      await writeFile(join(here, "random"), bytes);
      const connections = [1, 3, 5].map((mib) => ({ cut: { way, after: mib * MIB, by: "reset" } as const }));
      await using proxy = await Proxy.start({ port: Number(new URL(agent.url).port), connections });
      const env = { ...agent.env, FAIRLEAD_SERVER: `http://127.0.0.1:${proxy.port}`, FAIRLEAD_TOKEN: agent.token };
      if (way === "down") await ok(join(here, "random"), "ctl-cp:/tmp/random");
      const args =
        way === "down" ? ["ctl-cp:/tmp/random", join(here, "back")] : [join(here, "random"), "ctl-cp:/tmp/back"];
      const { code, stderr } = await runCtl({ env }, ["cp", ...args]);
      assert.deepEqual([code, stderr], [0, ""]);
      const cuts = proxy.connections.map(({ wasCut }) => wasCut);
      assert.deepEqual([cuts.length, ...cuts.slice(0, 3)], [4, true, true, true]);
      const sum = createHash("sha256").update(bytes).digest("hex");
      const arrived =
        way === "down"
          ? createHash("sha256")
              .update(await readFile(join(here, "back")))
              .digest("hex")
          : (await inside("sha256sum /tmp/back")).split(" ")[0];
      assert.equal(arrived, sum);
    });

  test("a terminal shows how far it is and how fast, and then nothing more", async () => {
    await inside("dd if=/dev/zero of=/tmp/large bs=1M count=300 2>/dev/null");
    const words = shellWords("cp", "ctl-cp:/tmp/large", join(here, "large"));
    using terminal = new TerminalRun(agent, `${words}; echo "[code $?]"`);
    await terminal.shows(/ctl-cp:\/tmp\/large: [\d.]+ MB, [\d.]+ MB\/s/);
    await terminal.shows(/\[code 0\]/);
    await inside("rm /tmp/large");
  });

  test("the audit says who copied what, where, and how many bytes", async () => {
    await ok(`${here}/tree/a`, "ctl-cp:/tmp/audited");
    const copied = (await auditOf(agent)).filter(({ kind }) => kind === "copy-in");
    const opened = copied.findLast(({ event }) => event === "open");
    assert.deepEqual([opened?.path, opened?.containerName], ["/tmp/audited", "ctl-cp"]);
    const ended = await until("its end", async () =>
      (await auditOf(agent)).find(({ event, session }) => event === "end" && session === opened?.session),
    );
    assert.equal(ended.outcome, "exit 0");
    assert.ok((ended.bytesIn ?? 0) >= 1_000);
  });

  test("an engine that is not mended is warned of where it matters, and the audit has it (CVE-2026-42306)", async () => {
    await engine.run("ctl-cp-volume", { args: ["--volume", "/vol"] });
    const { code, stderr } = await cp(`${here}/tree/a`, "ctl-cp-volume:/vol/");
    assert.equal(code, 0);
    assert.match(stderr, /^ctl: Warning: .*older than 29\.5\.1.*CVE-2026-42306.*\n$/);
    await until("the audit", async () =>
      (await auditOf(agent)).some(({ containerName, warning }) => containerName === "ctl-cp-volume" && warning),
    );
    await engine.docker("rm", "--force", "--volumes", "ctl-cp-volume");
  });
});

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}

async function drained(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}
