/** Every setting of the agent, from every source, with every kind of value; and the documents that are made from them. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { type AgentConfig, agentProgram } from "../../src/agent/config.ts";
import { loadConfig } from "../../src/boot/config.ts";
import { helpText, printConfig } from "../../src/boot/help.ts";
import { flagsOf, variablesOf } from "../../src/boot/setting.ts";
import { Secret } from "../../src/lib/secret.ts";
import { inputs, problemsOf } from "../boot/inputs.ts";
import { configurationPage, exampleConfig } from "./config-files.ts";

const PROGRAM = agentProgram("0.0.0");
const HOST = { ...inputs({}).host, env: {} };
const ROOT = join(import.meta.dirname, "..", "..");
const TOKEN = "canary-0123456789-canary";
const HASH = "f".repeat(64);
const OTHER_HASH = "0".repeat(64);

type Key = keyof AgentConfig;

/** As it is written in a file, and what the agent gets. */
type Sample<K extends Key> = [written: unknown, value: AgentConfig[K]];

/** Two or more different values of each setting; false, 0 and "" wherever they are values of it. */
const SAMPLES: { [K in Key]: Sample<K>[] } = {
  debug: [
    [true, true],
    [false, false],
    ["yes", true],
    ["0", false],
    [0, false],
  ],
  server_url: [
    ["http://server-host:8090", "http://server-host:8090"],
    ["", ""],
    ["wss://o.example/ws", "wss://o.example/ws"],
  ],
  direct: [
    [true, true],
    [false, false],
    ["no", false],
    ["0", false],
  ],
  mode: [
    ["fleet", "fleet"],
    ["byom", "byom"],
  ],
  node_name: [
    ["gpu-box-1", "gpu-box-1"],
    ["0", "0"],
    ["worker.example.com", "worker.example.com"],
  ],
  token: [
    [TOKEN, new Secret(TOKEN)],
    ["", undefined],
  ],
  token_file: [
    ["/run/token", "/run/token"],
    ["", ""],
  ],
  heartbeat_interval: [
    ["30s", 30_000],
    ["2m30s", 150_000],
    ["", undefined],
  ],
  docker_host: [
    ["unix:///var/run/docker.sock", "unix:///var/run/docker.sock"],
    ["", ""],
    ["tcp://192.168.1.50:2375", "tcp://192.168.1.50:2375"],
  ],
  docker_tls_verify: [
    [true, true],
    [false, false],
    ["1", true],
    ["0", false],
  ],
  docker_cert_path: [
    ["/certs", "/certs"],
    ["", ""],
  ],
  helper_image: [
    ["fairlead", "fairlead"],
    ["registry.example.com:5000/tools/helper@sha256:0", "registry.example.com:5000/tools/helper@sha256:0"],
    ["", ""],
  ],
  require_runtime: [
    [true, true],
    [false, false],
  ],
  listen_address: [
    ["0.0.0.0", "0.0.0.0"],
    ["::1", "::1"],
    ["0", "0"],
    ["localhost", "localhost"],
  ],
  listen_port: [
    ["9090", 9090],
    [9191, 9191],
    [0, 0],
    ["65535", 65_535],
  ],
  apps_url: [
    ["https://apps.example.com", "https://apps.example.com"],
    ["http://apps.example.com:8080", "http://apps.example.com:8080"],
    ["", ""],
  ],
  public_urls: [
    [
      ["https://a.example", "https://b.example:9090/"],
      ["https://a.example", "https://b.example:9090/"],
    ],
    [[], []],
    ["", []],
  ],
  trusted_proxies: [
    [
      ["10.0.0.0/8", "::1"],
      ["10.0.0.0/8", "::1"],
    ],
    [[], []],
    ["", []],
  ],
  tls: [
    ["auto", "auto"],
    ["self-signed", "self-signed"],
    ["off", "off"],
  ],
  tls_cert: [
    ["/c.pem", "/c.pem"],
    ["", ""],
  ],
  tls_key: [
    ["/k.pem", "/k.pem"],
    ["", ""],
  ],
  probe_port: [
    [9091, 9091],
    ["0", 0],
    [0, 0],
  ],
  probe_address: [
    ["0.0.0.0", "0.0.0.0"],
    ["::1", "::1"],
  ],
  metrics_public: [
    [true, true],
    [false, false],
  ],
  grants: [
    [
      [{ name: "ci", token_sha256: HASH, rights: ["logs"] }],
      [{ name: "ci", token_sha256: HASH, rights: ["logs"], scopes: [] }],
    ],
    [[], []],
    ["", []],
    [
      [{ name: "x", token_sha256: OTHER_HASH.toUpperCase(), rights: ["admin"], scopes: [{ team: "web", public: "" }] }],
      [{ name: "x", token_sha256: OTHER_HASH, rights: ["admin"], scopes: [{ team: "web", public: "" }] }],
    ],
  ],
  host_shell: [
    [true, true],
    [false, false],
    ["yes", true],
    ["0", false],
  ],
  host_shell_user: [
    ["deploy", "deploy"],
    ["", ""],
  ],
  data_dir: [
    ["/var/lib/fairlead", "/var/lib/fairlead"],
    ["0", "0"],
  ],
  build_directory: [
    ["/build", "/build"],
    ["", ""],
  ],
  log_directory: [
    ["/var/log/fairlead", "/var/log/fairlead"],
    ["0", "0"],
  ],
  log_max_size: [
    ["64m", 67_108_864],
    [0, 0],
    [10_485_760, 10_485_760],
    ["1MiB", 1_048_576],
  ],
  audit_required: [
    [
      ["exec", "attach"],
      ["exec", "attach"],
    ],
    ["", []],
  ],
  audit_max_size: [
    ["8m", 8_388_608],
    [1_048_576, 1_048_576],
  ],
  audit_max_age: [
    ["720h", 2_592_000_000],
    [0, 0],
  ],
  max_sessions: [
    [1, 1],
    ["2147483647", 2_147_483_647],
  ],
  max_sessions_per_container: [
    [1, 1],
    [2, 2],
  ],
  max_forwarded_connections: [
    [1, 1],
    [2, 2],
  ],
  max_connections: [
    [1, 1],
    [2, 2],
  ],
  max_unauthenticated: [
    [1, 1],
    [2, 2],
  ],
  session_idle_timeout: [
    ["1h", 3_600_000],
    [0, 0],
    ["0", 0],
  ],
  grace: [
    ["5m", 300_000],
    [0, 0],
    ["0s", 0],
  ],
  replay_budget: [
    ["128m", 134_217_728],
    ["1MiB", 1_048_576],
  ],
  shutdown_grace: [
    ["1m", 60_000],
    [0, 0],
  ],
};

const KEYS = Object.keys(PROGRAM.settings) as Key[];
const SOURCES = ["file", ".env", "environment", "flag"] as const;
type Source = (typeof SOURCES)[number];
type Given = Required<Pick<Parameters<typeof inputs>[0], "argv" | "env" | "file" | "dotEnv">>;

/** As text, for sources that have nothing else. */
function asText(written: unknown): string {
  if (Array.isArray(written))
    return written.every((one) => typeof one === "string") ? written.join(",") : JSON.stringify(written);
  return String(written);
}

/** Adds a setting to a source under one of its names there. */
function add(given: Given, source: Source, [key, written, name]: [Key, unknown, string?]): void {
  const own = variablesOf(PROGRAM, key)[0]?.name ?? "";
  if (source === "file") given.file += stringify({ [name ?? key]: written });
  else if (source === "environment") given.env[name ?? own] = asText(written);
  else if (source === ".env") given.dotEnv += `${name ?? own}='${asText(written)}'\n`;
  else given.argv.push(`${name ?? `--${flagsOf(PROGRAM, key)[0]}`}=${asText(written)}`);
}

function nothing(): Given {
  return { argv: [], env: {}, file: "", dotEnv: "" };
}

function load(given: Given) {
  // Combinations have their own test: here every setting is set alone.
  return loadConfig({ ...PROGRAM, check: () => [] }, inputs(given));
}

/** A secret is equal to nothing but itself, so it is compared by its text. */
function plain(value: unknown): unknown {
  return value instanceof Secret ? value.reveal() : value;
}

for (const key of KEYS)
  test(`${key} is set from every source, under every name, to each kind of value`, () => {
    for (const [written, expected] of SAMPLES[key])
      for (const source of SOURCES)
        for (const name of namesIn(source, key)) {
          const given = nothing();
          add(given, source, [key, written, name]);
          const { values, origins } = load(given);
          assert.deepEqual(plain(values[key]), plain(expected), `${source} ${name} ${asText(written)}`);
          assert.equal(origins[key].source, source);
          assert.ok(origins[key].place.includes(name), origins[key].place);
        }
  });

function namesIn(source: Source, key: Key): string[] {
  const { aliases = [], short } = PROGRAM.settings[key];
  if (source === "file") return [key, ...aliases];
  if (source !== "flag") return variablesOf(PROGRAM, key).map(({ name }) => name);
  const long = flagsOf(PROGRAM, key).flatMap((name) => [`--${name}`, `-${name}`]);
  return short ? [...long, `-${short}`] : long;
}

for (const [index, weaker] of SOURCES.entries())
  for (const stronger of SOURCES.slice(index + 1))
    test(`${stronger} overrules ${weaker} for every setting, whatever the values`, () => {
      for (const key of KEYS)
        for (const [below] of SAMPLES[key])
          for (const [above, expected] of SAMPLES[key]) {
            const given = nothing();
            add(given, weaker, [key, below]);
            add(given, stronger, [key, above]);
            assert.deepEqual(
              plain(load(given).values[key]),
              plain(expected),
              `${key}: ${asText(above)} over ${asText(below)}`,
            );
          }
    });

test("all settings at once, each from another source, end where they belong", () => {
  const given = nothing();
  for (const [index, key] of KEYS.entries()) add(given, SOURCES[index % 4] ?? "file", [key, SAMPLES[key][0]?.[0]]);
  const { values, origins } = load(given);
  for (const [index, key] of KEYS.entries()) {
    assert.deepEqual(plain(values[key]), plain(SAMPLES[key][0]?.[1]), key);
    assert.equal(origins[key].source, SOURCES[index % 4]);
  }
});

test("every limit refuses what is no number in its range, from every source", () => {
  const limits = KEYS.filter((key) => key.startsWith("max_"));
  assert.ok(limits.length >= 5);
  for (const key of [...limits, "listen_port"] as Key[])
    for (const bad of [
      "-1",
      "2147483648",
      "4294967296",
      "abc",
      "1e400",
      "",
      "1.5",
      "80 ",
      "0x10",
      "NaN",
      ...(key === "listen_port" ? ["65536"] : ["0"]),
    ])
      for (const source of SOURCES) {
        const given = nothing();
        add(given, source, [key, bad]);
        const [problem = "", ...more] = problemsOf(PROGRAM, given);
        assert.match(problem, /is not accepted; accepted: a (whole number|port) from/, `${key}=${bad}`);
        assert.deepEqual(more, []);
      }
  const numbers = problemsOf(PROGRAM, { file: "max_sessions: 1e400\nmax_connections: .nan\nlisten_port: 80.5\n" });
  assert.equal(numbers.length, 3);
});

test("durations, sizes, addresses and lists refuse what would mean something else", () => {
  const bad: [Key, unknown][] = [
    ["heartbeat_interval", "30"],
    ["heartbeat_interval", 30],
    ["heartbeat_interval", "0s"],
    ["heartbeat_interval", "-5s"],
    ["grace", "25h"],
    ["session_idle_timeout", "600h"],
    ["log_max_size", "-1"],
    ["log_max_size", "1e9"],
    ["replay_budget", "1k"],
    ["listen_address", ""],
    ["listen_address", "0.0.0.0:80"],
    ["docker_host", "ssh://host"],
    ["docker_host", "/var/run/docker.sock"],
    ["server_url", "server:8090"],
    ["server_url", "http://me:secret@host"],
    ["apps_url", "apps.example.com"],
    ["apps_url", "https://gw.example.com/apps"],
    ["public_urls", ["gw.example.com"]],
    ["public_urls", ["https://gw.example.com/path"]],
    ["trusted_proxies", ["10.0.0.0/33"]],
    ["trusted_proxies", ["proxy.example.com"]],
    ["node_name", ""],
    ["node_name", "two words"],
    ["data_dir", "~/state"],
  ];
  for (const [key, written] of bad) {
    const given = nothing();
    add(given, "file", [key, written]);
    assert.match(
      problemsOf(PROGRAM, given)[0] ?? "",
      new RegExp(`config.yaml: ${key}: .* is not accepted`),
      `${key} ${asText(written)}`,
    );
    assert.ok(!problemsOf(PROGRAM, given).join().includes("secret@"));
  }
});

test("a mistake in a grant is told with its place, and no token is shown", () => {
  const grant = (changes: object) => ({ name: "ci", token: TOKEN, rights: ["logs"], ...changes });
  const bad: [unknown[], RegExp][] = [
    [[grant({ rights: ["root"] })], /0\.rights\.0/],
    [[grant({ rights: [] })], /0\.rights/],
    [[grant({ token: "short" })], /0\.token: must be 20 to 512/],
    // Nobody could ever sign in with it: longer ones are refused unread.
    [[grant({ token: `${"x".repeat(512)}=` })], /0\.token: must be 20 to 512/],
    [[grant({ token_sha256: HASH })], /needs one of token and token_sha256/],
    [[grant({ token: undefined })], /needs one of/],
    [[grant({ tokn: TOKEN })], /0: Unrecognized key/],
    [[grant({ name: "a b" })], /0\.name/],
    [[grant({ scopes: { team: "web" } })], /0\.scopes/],
    [[grant({}), grant({ name: "other" })], /same token/],
    [[grant({}), grant({ token: `${TOKEN}2` })], /same name/],
  ];
  for (const [grants, words] of bad)
    for (const source of SOURCES) {
      const given = nothing();
      add(given, source, ["grants", grants]);
      const problems = problemsOf(PROGRAM, given).join("\n");
      assert.match(problems, words);
      assert.ok(!problems.includes("canary"), problems);
    }
  assert.match(problemsOf(PROGRAM, { env: { FAIRLEAD_GRANTS: `[{token: ${TOKEN}` } })[0] ?? "", /not shown/);
});

test("the token of a grant is kept as its hash only and shown nowhere", () => {
  const given = nothing();
  add(given, "file", ["grants", [{ name: "ci", token: TOKEN, rights: ["logs"] }]]);
  const loaded = load(given);
  // printf %s canary-0123456789-canary | sha256sum
  assert.match(loaded.values.grants[0]?.token_sha256 ?? "", /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(loaded.values).includes("canary"));
  const printed = printConfig(PROGRAM, loaded);
  assert.ok(!printed.includes("canary") && !printed.includes(loaded.values.grants[0]?.token_sha256 ?? "?"));
  assert.match(problemsOf(PROGRAM, { ...given, mode: 0o644 })[0] ?? "", /chmod 600/);
});

test("settings that only make sense together are refused alone", () => {
  assert.match(problemsOf(PROGRAM, { argv: ["--tls-cert", "/c"] })[0] ?? "", /tls_cert and tls_key/);
  assert.match(
    problemsOf(PROGRAM, { argv: ["--docker-tls-verify", "--docker-cert-path="] })[0] ?? "",
    /name their dir/,
  );
  for (const tls of ["self-signed", "off"])
    assert.match(
      problemsOf(PROGRAM, { argv: ["--tls", tls, "--tls-cert=/c", "--tls-key=/k"] })[0] ?? "",
      /tls_cert is set: keep one/,
    );
  assert.match(
    problemsOf(PROGRAM, { env: { GALLEY_AGENT_TOKEN: TOKEN }, file: "token_file: /t" })[0] ?? "",
    /keep one/,
  );
  assert.match(problemsOf(PROGRAM, { argv: ["--log-max-size=1000"] })[0] ?? "", /at least 64k/);
});

test("state and logs follow the XDG directories, the logs the state, the engine's certificates Docker's own place", () => {
  assert.equal(load(nothing()).values.data_dir, "/home/me/.local/state/fairlead");
  assert.equal(load(nothing()).values.log_directory, "/home/me/.local/state/fairlead/log");
  const { values } = load({ ...nothing(), env: { XDG_STATE_HOME: "/state" } });
  assert.equal(values.log_directory, "/state/fairlead/log");
  assert.equal(load({ ...nothing(), argv: ["--data-dir=/d"] }).values.log_directory, "/d/log");
  assert.equal(load(nothing()).values.node_name, "box");
  assert.equal(load(nothing()).values.docker_cert_path, "");
  const verified = load({ ...nothing(), env: { DOCKER_TLS_VERIFY: "1" } }).values;
  assert.equal(verified.docker_cert_path, "/home/me/.docker");
});

test("help and the reference page name every key, flag and variable", async () => {
  const page = await readFile(join(ROOT, "docs", "configuration.md"), "utf8");
  const example = await readFile(join(ROOT, "config.yaml"), "utf8");
  const help = helpText(PROGRAM, HOST);
  for (const key of KEYS) {
    assert.ok(page.includes(`### ${key}\n`) && example.includes(`\n#${key}: `), key);
    for (const flag of flagsOf(PROGRAM, key)) assert.ok(help.includes(flag) && page.includes(`\`--${flag}\``), flag);
    for (const { name } of variablesOf(PROGRAM, key))
      assert.ok(help.includes(name) && page.includes(`\`${name}\``), name);
  }
});

test("config.yaml and docs/configuration.md are what the table says (to write them anew: node --test --test-update-snapshots)", (t: TestContext) => {
  const asIs = { serializers: [String] };
  t.assert.fileSnapshot(exampleConfig(PROGRAM), join(ROOT, "config.yaml"), asIs);
  t.assert.fileSnapshot(configurationPage(PROGRAM, HOST), join(ROOT, "docs", "configuration.md"), asIs);
});

test("config.yaml changes nothing as it is, and gives the defaults when its comments are taken away", async () => {
  const example = await readFile(join(ROOT, "config.yaml"), "utf8");
  const defaults = load(nothing()).values;
  assert.deepEqual(load({ ...nothing(), file: example }).values, defaults);
  const computed = /^(docker_cert_path|node_name|probe_address|data_dir|log_directory): #.*\n/gm;
  const edited = load({ ...nothing(), file: example.replace(/^#(?=[a-z])/gm, "").replace(computed, "") });
  assert.deepEqual(edited.values, defaults);
  assert.equal(Object.values(edited.origins).filter(({ source }) => source === "file").length, KEYS.length - 5);
});

test("the example in docs/configuration.md is accepted once its secrets are filled in", async () => {
  const page = await readFile(join(ROOT, "docs", "configuration.md"), "utf8");
  const [, example = ""] = /```yaml\n([^]*?)```/.exec(page) ?? [];
  assert.match(problemsOf(PROGRAM, { file: example })[0] ?? "", /grants/);
  const filled = example.replace(/<64.*>/, HASH).replace(/<from.*>/, TOKEN);
  const { values } = load({ ...nothing(), file: filled });
  assert.deepEqual(
    values.grants.map(({ name, rights }) => [name, rights]),
    [
      ["ci", ["list", "logs"]],
      ["operator", ["admin"]],
    ],
  );
});
