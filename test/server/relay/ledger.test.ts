/** What a server writes down of the sessions that pass through. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CLOSE } from "../../../src/mux/errors.ts";
import { Ledger, type RelayAuditLine } from "../../../src/server/relay/ledger.ts";
import { clocks } from "../../support/clocks.ts";

const DAY = 86_400_000;

test("a session is told to have lasted as long as it did, however the clock is set meanwhile", (t) => {
  const { jump, pass } = clocks(t);
  const lines: RelayAuditLine[] = [];
  const ledger = new Ledger((line) => void lines.push(line));
  const subject = { grant: { subject: "me", rights: [], scopes: [] }, revoked: new AbortController().signal };
  for (const ms of [-DAY, DAY]) {
    const header = { op: "exec" as const, container: "web", node: "box", onDrop: "kill" as const, grace: 0 };
    const entry = ledger.opened({ header, session: "1", node: "box", subject, remote: "192.0.2.1" });
    jump(ms);
    pass(1_000);
    entry.closed({ code: CLOSE.cut, reason: "" }, { in: 0, out: 0 });
  }
  const durations = lines.flatMap(({ duration }) => duration ?? []);
  assert.ok(
    durations.length === 2 && durations.every((ms) => Number.isInteger(ms) && ms >= 1_000 && ms < DAY / 2),
    durations.join(),
  );
});
