import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { newSecret } from "../../../src/auth/secret.ts";
import { testDocument } from "../../door/openapi.ts";
import { startFront } from "../../support/front.ts";

const poor = newSecret();
const front = await startFront({
  tokens: [{ token: poor, grant: { subject: "token:none", rights: [], scopes: [] } }],
  desk: {
    exec: async () => ({ code: 0 }),
    logs: async function* () {},
    dial: () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
  },
});

await testDocument({
  url: front.url,
  token: front.admin,
  poor,
  routes: front.gateway.routes.map(({ method, url }) => `${method} ${url}`),
  known: { ref: "web", port: "80", command: "true", stdout: "true", since: "10m", until: "1s" },
  // A code that is none; a token is no page.
  refused: ["POST /api/v1/sign-in", "POST /api/v1/sign-out"],
  close: () => front[Symbol.asyncDispose](),
});

test("the OpenAPI document leaves nothing out under /api", async () => {
  await using withPage = await startFront({
    gateway: { uiDirectory: new URL("../../../public", import.meta.url).pathname },
  });
  const hidden = withPage.gateway.routes.filter(({ file }) => file).map(({ url }) => url);
  assert.ok(hidden.includes("/"));
  assert.deepEqual(
    hidden.filter((url) => url.startsWith("/api")),
    [],
  );
});
