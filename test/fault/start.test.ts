/** Starts the real agent with mistakes in its surroundings: it says what is wrong, with what, and ends; a running one is not disturbed. */

import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { Scene } from "./scene.ts";
import { portOf } from "./stage.ts";

const TOKEN = "a-token-that-is-long-enough-0123456789";

interface Mistake {
  name: string;
  /** Prepares the new agent's home and gives its flags. */
  make: (home: string, state: string, running: TestAgent) => Promise<string[]> | string[];
  words: RegExp;
}

const mistakes: Mistake[] = [
  {
    name: "a key that nobody knows",
    make: async (home) => {
      await writeFile(join(home, "config.yaml"), "listen_prot: 1\n");
      return ["--config", join(home, "config.yaml")];
    },
    words: /listen_prot.*listen_port/,
  },
  {
    name: "a configuration that is no YAML",
    make: async (home) => {
      await writeFile(join(home, "config.yaml"), "listen_port: [1\n");
      return ["--config", join(home, "config.yaml")];
    },
    words: /config\.yaml/,
  },
  { name: "a configuration that is not there", make: () => ["--config", "/no/such.yaml"], words: /\/no\/such\.yaml/ },
  { name: "a flag that nobody knows", make: () => ["--listen-prot", "1"], words: /listen-prot/ },
  {
    name: "a token that every user can read",
    make: async (_, state) => {
      await writeFile(join(state, "token"), TOKEN);
      await chmod(join(state, "token"), 0o644);
      return [];
    },
    words: /token.*(chmod|readable|mode|private)/is,
  },
  {
    name: "a token that cannot be read",
    make: async (_, state) => {
      await mkdir(join(state, "token"));
      return [];
    },
    words: /token/,
  },
  {
    name: "a token that is a link to somewhere else",
    make: async (home, state) => {
      await writeFile(join(home, "elsewhere"), TOKEN, { mode: 0o600 });
      await symlink(join(home, "elsewhere"), join(state, "token"));
      return [];
    },
    words: /token/,
  },
  {
    name: "a secret in a configuration that every user can read",
    make: async (home) => {
      const path = join(home, "config.yaml");
      await writeFile(path, `grants:\n  - {name: ci, token: ${TOKEN}, rights: [list]}\n`);
      await chmod(path, 0o644);
      return ["--config", path];
    },
    words: /config\.yaml/,
  },
  {
    name: "the state directory of an agent that runs",
    make: (_home, _state, { stateDir }) => ["--data-dir", stateDir],
    words: /already runs with the state in .*pid \d+/,
  },
  {
    name: "an address that others reach, and no TLS",
    make: () => ["--listen-address", "0.0.0.0", "--tls", "off"],
    words: /listen_address 0\.0\.0\.0 can be reached from other machines, and there is no TLS: set tls to auto/,
  },
  {
    name: "a damaged key of its own certificate",
    make: async (_, state) => {
      await writeFile(join(state, "tls-key.pem"), "no key", { mode: 0o600 });
      return ["--tls", "self-signed"];
    },
    words: /tls-key\.pem is damaged; put a copy back, or remove it/,
  },
  {
    name: "a key of its own certificate that every user can read",
    make: async (_, state) => {
      await writeFile(join(state, "tls-key.pem"), "no key");
      await chmod(join(state, "tls-key.pem"), 0o644);
      return ["--tls", "self-signed"];
    },
    words: /tls-key\.pem can be read or written by other users .* chmod 600/,
  },
  {
    name: "a port that is in use",
    make: (_home, _state, running) => ["--listen-port", String(portOf(running))],
    words: /already uses port \d+ .*--listen-port/,
  },
];

const scene = Scene.forThisFile({ neighbour: "fault-start-neighbour" });

suite("an agent does not start with", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "fl-start-"));
  });

  afterEach(() => rm(home, { recursive: true }));

  for (const { name, make, words } of mistakes)
    test(name, async () => {
      const state = join(home, "state", "fairlead");
      await mkdir(state, { recursive: true, mode: 0o700 });
      const flags = await make(home, state, scene.agent);
      const error: unknown = await startAgent({ engine: scene.engine, home, flags }).catch((cause: unknown) => cause);
      assert.ok(error instanceof Error, "it started");
      assert.match(error.message, /^the agent ended with [1-9]/);
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, new RegExp(TOKEN), "it told the secret");
    });
});
