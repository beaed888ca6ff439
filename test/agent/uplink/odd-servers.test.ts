/** The real agent with servers that are none: it says so, tries on, and serves its own host meanwhile. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { startAgent } from "../../support/agent.ts";
import { until } from "../../support/until.ts";

const NO_ENGINE = { host: "unix:///nowhere/docker.sock" };
const TOKEN = `flb_${"x".repeat(43)}`;

const ODD: Record<string, { listener: RequestListener; words: RegExp }> = {
  HTML: { listener: (_, answer) => void answer.end("<html>hello"), words: /not seem to be a Fairlead server.*<html>/ },
  "truncated JSON": { listener: (_, answer) => void answer.end('{"name":'), words: /not seem to be a Fairlead server/ },
  "other JSON": { listener: (_, answer) => void answer.end("{}"), words: /registration cannot be understood/ },
  "a redirect": {
    listener: (_, answer) => void answer.writeHead(302, { location: "https://other/" }).end(),
    words: /points to .*https:\/\/other/,
  },
  "an error": { listener: (_, answer) => void answer.writeHead(500).end(), words: /answers 500/ },
  nothing: { listener: () => undefined, words: /no answer within 10 s/ },
};

suite("an agent whose server answers with", { concurrency: true }, () => {
  for (const [name, { listener, words }] of Object.entries(ODD))
    test(`${name} says so and goes on alone`, async () => {
      let asked = 0;
      const server = createServer((request, answer) => {
        asked += 1;
        listener(request, answer);
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const agent = await startAgent({ engine: NO_ENGINE, flags: ["-S", url, "--token", TOKEN] });
      await until("its words", async () => {
        const { uplink } = (await (await agent.fetch("/readyz")).json()) as { uplink: { detail?: string } };
        return words.test(uplink.detail ?? "");
      });
      const seen = asked;
      await until("another attempt", () => asked > seen);
      assert.equal((await agent.fetch("/api/v1/version")).status, 200);
      await agent.stop();
      server.close();
      server.closeAllConnections();
    });
});
