import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { dataText, type Listing, lister } from "../../src/ctl/output-format.ts";

interface Boat {
  name: string;
  length: number;
}

const BOATS: Listing<Boat> = {
  headings: ["NAME"],
  row: ({ name }) => [name],
  wide: { headings: ["NAME", "LENGTH"], row: ({ name, length }) => [name, String(length)] },
  name: ({ name }) => name,
};
const FLEET: Boat[] = [
  { name: "no", length: 3 },
  { name: "Nautilus", length: 70 },
];

suite("output formats", () => {
  test("a list is a table, with more columns when it is wide, or names alone", async () => {
    assert.equal(await lister(BOATS, undefined)(FLEET), "NAME\nno\nNautilus\n");
    assert.equal(await lister(BOATS, "wide")(FLEET), "NAME       LENGTH\nno         3\nNautilus   70\n");
    assert.equal(await lister(BOATS, "name")(FLEET), "no\nNautilus\n");
    const { wide: _, ...narrow } = BOATS;
    assert.equal(await lister(narrow, "wide")([]), "NAME\n");
  });

  test("as data it is what it was, for every reader", async () => {
    assert.deepEqual(JSON.parse(await lister(BOATS, "json")(FLEET)), FLEET);
    const text = await lister(BOATS, "yaml")(FLEET);
    assert.deepEqual(parse(text), FLEET);
    assert.deepEqual(parse(text, { version: "1.1" }), FLEET);
    assert.equal(await lister(BOATS, "yaml")([]), "[]\n");
  });

  test("what follows can be told from what came before", async () => {
    const table = lister(BOATS, undefined, "again");
    assert.deepEqual(
      [await table(FLEET), await table([]), await table(FLEET)].join(""),
      "NAME\nno\nNautilus\nno\nNautilus\n",
    );
    assert.equal(await lister(BOATS, "json", "again")(FLEET), `${JSON.stringify(FLEET)}\n`);
    assert.match(await lister(BOATS, "yaml", "again")(FLEET), /^---\n- name: "no"\n/);
  });

  test("yaml breaks no line and refers to nothing", async () => {
    const words = "word ".repeat(60).trim();
    const twice = { words };
    assert.equal(await dataText([twice, twice], "yaml"), `- words: ${words}\n- words: ${words}\n`);
  });
});
