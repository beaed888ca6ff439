import assert from "node:assert/strict";
import { test } from "node:test";
import { newKey } from "../../src/auth/keys.ts";
import { GrantSigner, GrantVerifier } from "../../src/auth/signed-grant.ts";
import type { Grant } from "../../src/protocol/rights.ts";

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const grant: Grant = { subject: "anna", rights: ["exec"], scopes: [{ team: "a" }] };
const header = { op: "exec", container: "web" };
const body = Buffer.from('{"command":["ls"]}');
const own = newKey();

function token({ agent = "n1", at = NOW, key = own } = {}): string {
  return new GrantSigner(key, () => at).sign({ agent, grant, session: "s1", header, body });
}

function verifier(now = () => NOW): GrantVerifier {
  return new GrantVerifier(() => ({ agent: "n1", key: own.publicKey }), now);
}

test("a grant says who asks, what he may do, what he asked for, and in which session", () => {
  assert.deepEqual(verifier().verify(token(), body), { grant, session: "s1", header });
});

const refusals: { name: string; token: () => string; body?: Uint8Array; words: RegExp }[] = [
  { name: "for another agent", token: () => token({ agent: "n2" }), words: /another agent/ },
  { name: "for another body", token: () => token(), body: Buffer.from("{}"), words: /another request/ },
  { name: "that has expired", token: () => token({ at: NOW - 2 * MINUTE - 1_000 }), words: /expired.*clocks/ },
  { name: "from the future", token: () => token({ at: NOW + MINUTE + 1_000 }), words: /future.*clocks/ },
  {
    name: "of another server",
    token: () => token({ key: newKey() }),
    words: /not signed by the server/,
  },
  { name: "whose claims were changed", token: () => changed(token(), 1), words: /not signed by the server/ },
  { name: "whose signature was changed", token: () => changed(token(), 2), words: /not signed by the server/ },
  { name: "without an algorithm", token: () => unsigned(token()), words: /not signed by the server/ },
  { name: "with a claim that is not known", token: () => resigned(token(), { until: 1 }), words: /does not know/ },
  { name: "that is good for long", token: () => resigned(token(), { exp: NOW / 1_000 + 86_400 }), words: /too long/ },
  { name: "that is none", token: () => "hello", words: /not signed by the server/ },
  { name: "that is nothing", token: () => "", words: /not signed by the server/ },
  { name: "that is endless", token: () => `${token()}${"A".repeat(100_000)}`, words: /not signed by the server/ },
];

for (const refusal of refusals)
  test(`a grant ${refusal.name} is refused`, () => {
    assert.throws(() => verifier().verify(refusal.token(), refusal.body ?? body), {
      code: "bad-grant",
      message: refusal.words,
    });
  });

test("a grant is good once, also where another would have passed meanwhile", () => {
  let now = NOW;
  const one = verifier(() => now);
  const used = token();
  one.verify(used, body);
  for (now of [NOW, NOW + MINUTE, NOW + 2 * MINUTE]) {
    one.verify(token({ at: now }), body);
    assert.throws(() => one.verify(used, body), { code: "bad-grant", message: /used before/ });
  }
});

test("a refused grant is not used up", () => {
  const one = verifier();
  const good = token();
  assert.throws(() => one.verify(good, Buffer.from("{}")), { code: "bad-grant" });
  one.verify(good, body);
});

test("an agent that is not registered takes no grant", () => {
  const nobody = new GrantVerifier(
    () => undefined,
    () => NOW,
  );
  assert.throws(() => nobody.verify(token(), body), { code: "bad-grant" });
});

test("rights that this agent does not know are none", () => {
  const more = resigned(token(), { rights: ["exec", "fly"] });
  assert.deepEqual(verifier().verify(more, body).grant.rights, ["exec"]);
});

/** One bit of one part is another. */
function changed(text: string, part: number): string {
  const parts = text.split(".");
  const bytes = Buffer.from(parts[part] ?? "", "base64url");
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  parts[part] = bytes.toString("base64url");
  return parts.join(".");
}

/** The trick of `alg: none`. */
function unsigned(text: string): string {
  const [, claims] = text.split(".");
  return `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;
}

/** What the server itself might say some day. */
function resigned(text: string, claims: object): string {
  const [head, payload = ""] = text.split(".");
  const old: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
  const all = Buffer.from(JSON.stringify({ ...(old as object), ...claims })).toString("base64url");
  return `${head}.${all}.${own.sign(`${head}.${all}`)}`;
}
