import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { chmod, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, suite, test } from "node:test";
import { Certificate } from "../../../src/door/certificate/certificate.ts";
import { givenFiles } from "../../../src/door/certificate/given.ts";
import type { Pair } from "../../../src/door/certificate/pair.ts";
import { certificate, type TestCertificate } from "../../support/certificate.ts";

/** Milliseconds between two looks; longest wait for something to happen. */
const [QUICK, LIMIT] = [100, 5_000];

suite("a certificate that was given", () => {
  let directory: string;
  let files: { cert: string; key: string };
  let one: TestCertificate;
  let two: TestCertificate;
  /** Emits "changed" with each new pair and "warned" with each warning. */
  let events: EventEmitter;
  let open: Certificate | undefined;
  let warnings: string[];

  before(async () => {
    [one, two] = await Promise.all([certificate(), certificate()]);
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-given-"));
    files = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
    events = new EventEmitter();
    warnings = [];
    await put(one);
  });
  afterEach(async () => {
    open?.close();
    await rm(directory, { recursive: true });
  });

  async function put({ cert, key }: Pair): Promise<void> {
    await replace(files.cert, cert);
    await replace(files.key, key);
  }

  /** In one step: half a file is another mistake. */
  async function replace(file: string, text: string): Promise<void> {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  async function start(): Promise<Certificate> {
    const warn = (_fields: object, words: string) => {
      warnings.push(words);
      events.emit("warned", words);
    };
    open = await Certificate.open(givenFiles(files, QUICK), { info: () => {}, warn });
    open.watch((pair) => void events.emit("changed", pair));
    return open;
  }

  const next = async (event: "changed" | "warned"): Promise<unknown> => {
    const [value] = (await once(events, event, { signal: AbortSignal.timeout(LIMIT) })) as unknown[];
    return value;
  };

  test("is taken anew when its files change", async () => {
    const given = await start();
    assert.equal(given.pin, one.pin);
    const changed = next("changed");
    await put(two);
    assert.deepEqual(await changed, given.pair);
    assert.deepEqual([given.pair.cert, given.pin], [two.cert, two.pin]);
    assert.deepEqual(warnings, []);
  });

  test("is taken anew when a link comes to lead elsewhere, as certbot and Kubernetes do it", async () => {
    await writeFile(join(directory, "one.pem"), one.cert + one.key, { mode: 0o600 });
    await writeFile(join(directory, "two.pem"), two.cert + two.key, { mode: 0o600 });
    await symlink("one.pem", join(directory, "live.pem"));
    files = { cert: join(directory, "live.pem"), key: join(directory, "live.pem") };
    const given = await start();
    const changed = next("changed");
    await symlink("two.pem", join(directory, "live.new"));
    await rename(join(directory, "live.new"), files.cert);
    await changed;
    assert.equal(given.pin, two.pin);
  });

  test("stays while the new one is broken, which is told once with the reason, and the next good one is taken", async () => {
    const given = await start();
    const mistakes: [() => Promise<void>, RegExp][] = [
      [() => replace(files.cert, two.cert), /the private key belongs to another certificate/],
      [() => replace(files.cert, "-----BEGIN"), /the certificate is no PEM certificate/],
      [() => replace(files.key, two.cert), /the private key is no PEM key, or has a password/],
      [() => chmod(files.key, 0o644), /key\.pem can be read or written by other users .* chmod 600/],
      [() => rm(files.cert), /cert\.pem cannot be read/],
    ];
    for (const [make, words] of mistakes) {
      const warned = next("warned");
      await make();
      const said = String(await warned);
      assert.match(said, /^the new certificate is not used, the old one stays: /);
      assert.match(said, words);
      assert.equal(given.pin, one.pin);
      await chmod(files.key, 0o600);
      await put(one);
    }
    const changed = next("changed");
    await put(two);
    await changed;
    assert.equal(given.pin, two.pin);
    assert.equal(warnings.length, mistakes.length, "each once");
  });

  test("that is broken from the start is refused with the names of its files", async () => {
    await writeFile(files.cert, two.cert);
    const words = new RegExp(`^Error: tls_cert ${files.cert} with tls_key ${files.key}: the private key belongs`);
    await assert.rejects(start(), words);
    await rm(files.cert);
    await assert.rejects(start(), /cert\.pem cannot be read/);
  });
});
