import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { suite, test } from "node:test";
import { portWords } from "../../src/ctl/containers-table.ts";
import { parseKeys } from "../../src/ctl/keys.ts";
import { parseAddresses, parsePorts } from "../../src/ctl/ports.ts";
import { Prefixer } from "../../src/ctl/prefix.ts";
import { KeySequence } from "../../src/lib/key-sequence.ts";
import { pump } from "../../src/lib/pump.ts";
import { Table } from "../../src/ctl/table.ts";

suite("keys", () => {
  const typed = (text: string) => Buffer.from(text, "latin1");

  test("names become bytes", () => {
    assert.deepEqual([...parseKeys("ctrl-p,ctrl-q")], [16, 17]);
    assert.deepEqual([...parseKeys("ctrl-@,ctrl-[,a,~")], [0, 27, 97, 126]);
    for (const text of ["", "ctrl-", "ctrl-1", "ab", "é", "ctrl-p,"])
      assert.throws(() => parseKeys(text), /is not a key/);
  });

  test("a sequence is found across pieces, and its beginning is held back until it is clear", () => {
    const keys = new KeySequence(parseKeys("ctrl-p,ctrl-q"));
    assert.deepEqual(keys.feed(typed("ab\u0010")), { pass: new Uint8Array(typed("ab")), hit: false });
    assert.deepEqual(keys.feed(typed("c")), { pass: new Uint8Array(typed("\u0010c")), hit: false });
    assert.deepEqual(keys.feed(typed("\u0010\u0010")), { pass: new Uint8Array(typed("\u0010")), hit: false });
    assert.deepEqual(keys.feed(typed("\u0011rest")), { pass: new Uint8Array(0), hit: true });
    assert.deepEqual(keys.feed(typed("on")), { pass: new Uint8Array(typed("on")), hit: false });
  });
});

suite("ports and addresses", () => {
  test("each form of a port", () => {
    assert.deepEqual(parsePorts(["8080:80", "5432", ":9000", "0:7"]), [
      { local: 8080, remote: 80 },
      { local: 5432, remote: 5432 },
      { local: 0, remote: 9000 },
      { local: 0, remote: 7 },
    ]);
  });

  test("what is no port is refused", () => {
    for (const text of ["", "0", "65536", "80 ", " 80", "a", "1:", "1:2:3", "-1", "65536:80", "80:0"])
      assert.throws(() => parsePorts([text]), /is not a port/, text);
  });

  test("localhost is both loopbacks, once", () => {
    assert.deepEqual(parseAddresses([]), [["127.0.0.1", "::1"]]);
    assert.deepEqual(parseAddresses(["localhost,10.0.0.1", "10.0.0.1", "::"]), [
      ["127.0.0.1", "::1"],
      ["10.0.0.1"],
      ["::"],
    ]);
    assert.throws(() => parseAddresses(["example.com"]), /is not an address/);
  });
});

suite("lines with a name in front", () => {
  const add = (prefixer: Prefixer, text: string) => Buffer.from(prefixer.add(Buffer.from(text))).toString();

  test("a line is printed once it is whole", () => {
    const prefixer = new Prefixer("web | ");
    assert.equal(add(prefixer, "one\ntw"), "web | one\n");
    assert.equal(add(prefixer, "o\n\nthree"), "web | two\nweb | \n");
    assert.equal(Buffer.from(prefixer.end()).toString(), "web | three\n");
    assert.equal(prefixer.end().length, 0);
  });

  test("a line without an end is printed in pieces", () => {
    const prefixer = new Prefixer("> ");
    assert.equal(add(prefixer, "x".repeat(65_536)), "");
    assert.equal(add(prefixer, "y"), `> ${"x".repeat(65_536)}y\n`);
  });
});

suite("tables", () => {
  test("columns are as wide as they have to be, also for rows that come later", () => {
    const table = new Table(["A", "B"]);
    assert.equal(table.render([["one", "x"]]), "A     B\none   x\n");
    assert.equal(table.render([["2", "y"]], "bare"), "2     y\n");
    assert.equal(table.render([["longer", "z"]], "bare"), "longer   z\n");
  });

  test("a cell can neither steer the terminal nor look like a row of its own", () => {
    const hostile = "a\u001b]52;c;eA==\u0007b\nweb   running\u009b2J\u202ec";
    const shown = new Table(["A"]).render([[hostile], ["x"]]);
    assert.equal(shown, "A\na ]52;c;eA== b web   running 2J c\nx\n");
  });

  test("ports are short", () => {
    const ports = [
      { container: 80, protocol: "tcp", host: 8080, address: "0.0.0.0" },
      { container: 80, protocol: "tcp", host: 8080, address: "::" },
      { container: 53, protocol: "udp" },
      { container: 443, protocol: "tcp", host: 1, address: "::1" },
    ];
    assert.equal(portWords(ports), "53/udp, 8080->80/tcp, [::1]:1->443/tcp");
  });
});

suite("the pump", () => {
  test("keeps the order and stops reading when nothing is taken", async () => {
    const source = new PassThrough({ highWaterMark: 65_536 });
    const taken: number[] = [];
    let release: () => void = () => {};
    const free = new Promise<void>((resolve) => {
      release = resolve;
    });
    const done = pump(source, async (bytes) => {
      await free;
      taken.push(bytes[0] ?? -1);
    });
    let written = 0;
    while (source.write(Buffer.alloc(65_536, written)) || written < 3) {
      written += 1;
      await new Promise(setImmediate);
      assert.ok(written < 20, "nothing held the writer up");
    }
    release();
    source.end();
    await done;
    assert.deepEqual(
      taken,
      Array.from({ length: written + 1 }, (_, i) => i),
    );
  });

  test("rejects with what the taker says, and reads no more", async () => {
    const source = new PassThrough();
    source.write("x");
    await assert.rejects(
      pump(source, () => Promise.reject(new Error("enough"))),
      /enough/,
    );
    assert.ok(source.isPaused());
  });
});
