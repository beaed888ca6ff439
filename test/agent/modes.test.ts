/** Somebody's own machine and a managed one: which files count. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { agentProgram } from "../../src/agent/config.ts";
import { loadConfig } from "../../src/boot/config.ts";
import { inputs, problemsOf } from "../boot/inputs.ts";

const PROGRAM = agentProgram("0.0.0");
const OWN = "/home/me/.config/fairlead";
const TOKEN = `flb_${"x".repeat(43)}`;
const CREDENTIALS = JSON.stringify({ server_url: "https://box:8080", token: TOKEN });
const PERSONAL = {
  [`${OWN}/credentials.json`]: CREDENTIALS,
  [`${OWN}/config.json`]: JSON.stringify({ WORKER_NAME: "desk" }),
};
const MANAGED = `mode: fleet\nserver_url: https://fleet:8080\ntoken: ${TOKEN.replaceAll("x", "y")}\n`;

type Given = Parameters<typeof inputs>[0];
const load = (given: Given) => loadConfig(PROGRAM, inputs(given)).values;

suite("an agent on somebody's own machine", () => {
  test("is that unless it is told otherwise, and reads its user's credentials and preferences", () => {
    const { mode, node_name: name, server_url: url, token } = load({ files: PERSONAL });
    assert.deepEqual([mode, name, url, token?.reveal()], ["byom", "desk", "https://box:8080", TOKEN]);
  });

  test("takes them as the weakest of all", () => {
    const file = "node_name: from-file\n";
    assert.equal(load({ files: PERSONAL, file }).node_name, "from-file");
    assert.equal(load({ files: PERSONAL, env: { WORKER_NAME: "from-env" } }).node_name, "from-env");
    assert.equal(load({ files: PERSONAL, env: { XDG_CONFIG_HOME: "/elsewhere" } }).node_name, "box");
  });

  test("does not start with mistakes in them, nor with credentials that everybody can read", () => {
    const files = { [`${OWN}/config.json`]: '{"WORKER_NAMES":"desk"}' };
    assert.match(problemsOf(PROGRAM, { files }).join(), /config\.json: unknown key "WORKER_NAMES"/);
    const open = { files: { [`${OWN}/credentials.json`]: CREDENTIALS }, mode: 0o644 };
    assert.match(problemsOf(PROGRAM, open).join(), /is a secret, and every user.*chmod 600 .*credentials\.json/);
  });
});

suite("an agent of a managed fleet", () => {
  test("has everything in /etc/fairlead/agent.yaml, and does not read a user's own files", () => {
    const {
      mode,
      node_name: name,
      server_url: url,
    } = load({
      files: { ...PERSONAL, "/etc/fairlead/agent.yaml": MANAGED },
    });
    assert.deepEqual([mode, name, url], ["fleet", "box", "https://fleet:8080"]);
  });

  test("is given another file by AGENT_CONFIG", () => {
    const files = { "/etc/fairlead/agent.yaml": "mode: byom\n", "/srv/agent.yaml": MANAGED };
    assert.equal(load({ files, env: { AGENT_CONFIG: "/srv/agent.yaml" } }).server_url, "https://fleet:8080");
    assert.match(
      problemsOf(PROGRAM, { env: { AGENT_CONFIG: "/nowhere" } }).join(),
      /AGENT_CONFIG: \/nowhere does not exist/,
    );
  });

  test("may be named by AGENT_MODE alone", () => {
    assert.equal(load({ files: PERSONAL, env: { AGENT_MODE: "fleet" } }).token, undefined);
  });
});
