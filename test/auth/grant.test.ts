import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { allows, holds } from "../../src/auth/grant.ts";
import { type Grant, RIGHTS, type Right, type Scope } from "../../src/protocol/rights.ts";

const grant = (rights: Right[], ...scopes: Scope[]): Grant => ({ subject: "someone", rights, scopes });

suite("a grant", () => {
  test("allows the rights it lists and no other", () => {
    for (const right of RIGHTS) assert.equal(allows(grant(["logs"]), right, {}), right === "logs", right);
  });

  test("that lists admin allows everything", () => {
    for (const right of RIGHTS) assert.equal(allows(grant(["admin"]), right, {}), true, right);
  });

  test("without rights allows nothing", () => {
    for (const right of RIGHTS) assert.equal(allows(grant([]), right, {}), false, right);
  });

  test("reaches a container when all labels of any one scope match", () => {
    const scoped = grant(["exec"], { team: "blue", tier: "web" }, { owner: "" });
    assert.equal(allows(scoped, "exec", { team: "blue", tier: "web", more: "x" }), true);
    assert.equal(allows(scoped, "exec", { team: "blue" }), false);
    assert.equal(allows(scoped, "exec", { team: "blue", tier: "Web" }), false);
    assert.equal(allows(scoped, "exec", { owner: "anybody" }), true, "an empty value asks for the label only");
    assert.equal(allows(scoped, "exec", {}), false);
  });

  test("with a scope without labels reaches every container", () => {
    assert.equal(allows(grant(["exec"], {}), "exec", {}), true);
  });

  test("does not take what every object inherits for a label", () => {
    for (const label of ["constructor", "toString", "__proto__"])
      assert.equal(allows(grant(["exec"], { [label]: "" }), "exec", {}), false, label);
  });

  test("with scopes has no power over the host, whatever it lists", () => {
    const scoped = grant(["admin", "host-shell"], { team: "blue" });
    for (const right of ["admin", "host-shell"] as const) {
      assert.equal(holds(scoped, right), false, right);
      assert.equal(allows(scoped, right, { team: "blue" }), false, right);
    }
    assert.equal(allows(scoped, "exec", { team: "blue" }), true);
    assert.equal(allows(scoped, "exec", { team: "red" }), false);
  });

  test("with scopes still reads the agent's own figures", () => {
    assert.equal(allows(grant(["metrics"], { team: "blue" }), "metrics", {}), true);
  });

  test("never allows a container what it does not hold at all", () => {
    const rights = fc.uniqueArray(fc.constantFrom(...RIGHTS));
    const labels = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("", "1", "2"));
    fc.assert(
      fc.property(rights, fc.array(labels), fc.constantFrom(...RIGHTS), labels, (listed, scopes, right, worn) => {
        const made = grant(listed, ...scopes);
        return !allows(made, right, worn) || holds(made, right);
      }),
    );
  });
});
