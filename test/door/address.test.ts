import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isLoopback, Networks, sourceOf } from "../../src/door/address.ts";

const nobody = new Networks([]);
const proxies = new Networks(["10.0.0.0/8", "192.0.2.1", "fd00::/8"]);

suite("an address", () => {
  test("is loopback in every spelling that a socket may report", () => {
    for (const address of ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "::ffff:127.0.0.1", "::1%lo"])
      assert.equal(isLoopback(address), true, address);
    for (const address of ["128.0.0.1", "127.0.0.1.evil.test", "localhost", "::2", "", "::ffff:10.0.0.1", "127.1"])
      assert.equal(isLoopback(address), false, address);
  });

  test("belongs to a configured network, or not", () => {
    for (const address of ["10.255.0.1", "192.0.2.1", "fd12::1", "::ffff:10.0.0.1"])
      assert.ok(proxies.has(address), address);
    for (const address of ["11.0.0.1", "192.0.2.2", "fe80::1", "", "proxy.test"])
      assert.ok(!proxies.has(address), address);
  });

  test("of a network that is none stops the start", () => {
    for (const network of ["", "proxy.test", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "::/129", "*"])
      assert.throws(() => new Networks([network]), /is neither an address nor a network/, network);
  });
});

suite("the source of a connection", () => {
  test("is one for this whole machine, and shared", () => {
    for (const peer of ["127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"])
      assert.deepEqual(
        [sourceOf(peer, undefined, nobody).name, sourceOf(peer, undefined, nobody).shared],
        ["loopback", true],
      );
  });

  test("is an IPv4 address, or the /64 network of an IPv6 address", () => {
    assert.equal(sourceOf("203.0.113.7", undefined, nobody).name, "203.0.113.7");
    const same = ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1:2::ffff"];
    for (const peer of same) assert.equal(sourceOf(peer, undefined, nobody).name, "2001:db8:1:2::/64", peer);
    assert.equal(sourceOf("2001:db8::1", undefined, nobody).name, "2001:db8:0:0::/64");
    assert.equal(sourceOf("::5", undefined, nobody).name, "0:0:0:0::/64");
  });

  test("ignores X-Forwarded-For from anybody but a trusted proxy", () => {
    for (const peer of ["203.0.113.7", "127.0.0.1"])
      assert.equal(sourceOf(peer, "198.51.100.1", proxies).address, peer);
    assert.equal(sourceOf("10.0.0.1", "198.51.100.1", proxies).address, "198.51.100.1");
  });

  test("takes what the nearest trusted proxy saw, not what the client claims", () => {
    assert.equal(sourceOf("10.0.0.1", "198.51.100.66, 198.51.100.1, 10.0.0.2", proxies).address, "198.51.100.1");
    assert.equal(sourceOf("10.0.0.1", "127.0.0.1, 198.51.100.1", proxies).address, "198.51.100.1");
  });

  test("is the proxy itself, shared by all its users, when it names nobody", () => {
    for (const header of [undefined, "", "unknown", "10.0.0.9", "198.51.100.1, _hidden", "1.2.3.4:80"])
      assert.deepEqual(
        sourceOf("10.0.0.1", header, proxies),
        { name: "10.0.0.1", address: "10.0.0.1", shared: true },
        header,
      );
  });
});
