import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { Networks } from "../../src/door/address.ts";
import { checkTls, mayBeHeard } from "../../src/door/listener.ts";
import { certificate } from "../support/certificate.ts";
import { bearer, CONFIG, startFront } from "../support/front.ts";

suite("the listener", () => {
  test("refuses to serve a network in the clear", () => {
    for (const listenAddress of ["0.0.0.0", "::", "192.0.2.1", "host.test"])
      assert.throws(() => checkTls({ ...CONFIG, listenAddress }), /there is no TLS: set tls to auto/, listenAddress);
    for (const listenAddress of ["127.0.0.1", "127.0.0.2", "::1", "localhost"]) checkTls({ ...CONFIG, listenAddress });
    checkTls({ ...CONFIG, listenAddress: "0.0.0.0", trustedProxies: ["10.0.0.1"] });
    checkTls({ ...CONFIG, listenAddress: "0.0.0.0", tls: { cert: "", key: "" } });
  });

  test("hears nobody in the clear but its own machine and its trusted proxies", () => {
    const proxies = new Networks(["10.0.0.1"]);
    for (const remoteAddress of ["127.0.0.1", "::1", "10.0.0.1", "::ffff:10.0.0.1"])
      assert.equal(mayBeHeard({ remoteAddress }, proxies), true, remoteAddress);
    for (const remoteAddress of ["10.0.0.2", "192.0.2.1", "fe80::1", undefined])
      assert.equal(mayBeHeard({ remoteAddress }, proxies), false, remoteAddress);
    assert.equal(mayBeHeard(Object.assign({ remoteAddress: "192.0.2.1" }, { encrypted: true }), proxies), true);
  });

  test("says what to do when the port is taken", async () => {
    await using first = await startFront();
    const second = startFront({ config: { listenPort: first.port } });
    await assert.rejects(second, /Another program already uses port \d+ on 127.0.0.1; .* --listen-port/);
  });

  test("says what to do when the address is not this machine's", async () => {
    const elsewhere = startFront({ config: { listenAddress: "192.0.2.1", trustedProxies: ["192.0.2.2"] } });
    await assert.rejects(elsewhere, /192.0.2.1 is not an address of this machine; correct listen_address/);
  });

  test("serves TLS, and takes the page of that address for its own", async () => {
    const tls = await certificate();
    await using front = await startFront({ config: { listenAddress: "localhost", tls } });
    assert.match(front.url, /^https:\/\/localhost:\d+$/);
    const status = (origin: string) =>
      new Promise<number>((resolve, reject) => {
        const headers = { authorization: bearer(front.admin).slice(15), origin };
        const options = { ca: tls.cert, headers, minVersion: "TLSv1.2" as const };
        const asked = request(`${front.url}/api/v1/containers`, options, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        asked.on("error", reject).end();
      });
    assert.equal(await status(front.url), 200);
    assert.equal(await status(front.url.replace("https", "http")), 403);
  });

  test("serves on when connections are reset that wait for their turn with TLS", async () => {
    const tls = await certificate();
    const limits = { pace: { rate: 20, waiting: 100 } };
    await using front = await startFront({ config: { listenAddress: "localhost", tls, limits } });
    const resets = Array.from({ length: 20 }, async () => {
      const socket = connect(front.port, "localhost");
      await once(socket, "connect");
      socket.resetAndDestroy();
      await once(socket, "close");
    });
    await Promise.all(resets);
    const asked = request(`${front.url}/healthz`, { ca: tls.cert }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    assert.equal(answer.resume().statusCode, 200);
  });

  test("knows its public address behind a proxy, exactly", async () => {
    await using front = await startFront({
      config: { publicUrls: ["https://gw.example.com"], trustedProxies: ["127.0.0.1"] },
    });
    const status = async (host: string, origin: string) => {
      const headers = [`Host: ${host}`, `Origin: ${origin}`, bearer(front.admin)];
      return (await front.ask({ path: "/api/v1/whoami", host: false, headers })).status;
    };
    assert.equal(await status("gw.example.com", "https://gw.example.com"), 200);
    assert.equal(await status(front.host, "https://gw.example.com"), 200, "a proxy that names us by our own address");
    assert.equal(await status("gw.example.com", "http://gw.example.com"), 403, "the same name without TLS");
    assert.equal(await status("gw.example.com", "https://gw.example.com:8443"), 403);
    assert.equal(await status("gw.example.com", "https://gw.example.com.evil.test"), 403);
    assert.equal(await status("evil.gw.example.com", "https://gw.example.com"), 421);
    await assert.rejects(startFront({ config: { publicUrls: ["gw.example.com"] } }), /is no address such as/);
  });
});
