/** How sources are found, read and merged, and how mistakes in them are told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig, requested } from "../../src/boot/config.ts";
import { helpText, printConfig } from "../../src/boot/help.ts";
import { setting } from "../../src/boot/setting.ts";
import { duration, integer, list, path, secret, text, toggle } from "../../src/boot/value.ts";
import { z } from "zod";
import { inputs, problemsOf } from "./inputs.ts";

const CANARY = "canary-93ab";

const PROGRAM = {
  name: "demo",
  version: "1.2.3",
  summary: "Shows settings.",
  directory: "demo",
  file: "config.yaml",
  prefix: "DEMO_",
  configVariables: ["ANY_CONFIG"],
  settings: {
    debug: setting({ type: toggle(), default: false, effect: "Says more.", sharedVariables: ["DEBUG"] }),
    name: setting({
      type: text("NAME"),
      default: ({ hostname }) => hostname,
      defaultWords: "the host name",
      effect: "Names it.",
      short: "N",
      aliases: ["deployment_name"],
      variables: ["OLD_NAME", "OLDER_NAME"],
    }),
    count: setting({ type: integer({ min: 1 }), default: 3, effect: "Counts.", sharedVariables: ["COUNT"] }),
    wait: setting({ type: duration({ min: 0 }), default: 1000, effect: "Waits." }),
    peers: setting({ type: list(z.string(), "names", "NAMES"), default: [], effect: "Lists." }),
    token: setting({ type: secret(), default: undefined, effect: "Hides.", secret: (raw) => raw !== "" }),
    home: setting({ type: path(), default: "/x", effect: "Places." }),
    log: setting({ type: path(), default: (_, settled) => `${String(settled["home"])}/log`, effect: "Logs." }),
  },
};

test("without any source every value is its default, computed ones from the host and the values above", () => {
  const { values, warnings } = loadConfig(PROGRAM, inputs({ argv: ["--home", "/y"] }));
  assert.deepEqual(values, {
    debug: false,
    name: "box",
    count: 3,
    wait: 1000,
    peers: [],
    token: undefined,
    home: "/y",
    log: "/y/log",
  });
  assert.deepEqual(warnings, []);
});

test("a flag is written in the ways of getopt and of Go", () => {
  const ways = [
    ["--name", "x"],
    ["--name=x"],
    ["-name", "x"],
    ["-name=x"],
    ["-N", "x"],
    ["-N=x"],
    ["--deployment-name", "x"],
    ["-deployment_name", "x"],
    ["--deployment_name=x"],
    ["--name", "y", "-N", "x"],
  ];
  for (const argv of ways) assert.equal(loadConfig(PROGRAM, inputs({ argv })).values.name, "x", argv.join(" "));
  const values = ["", "-", "--", "-5", "a=b", "--unheard-of", "two words", "line\u00e9"];
  for (const value of values) {
    assert.equal(loadConfig(PROGRAM, inputs({ argv: ["--name", value] })).values.name, value);
    assert.equal(loadConfig(PROGRAM, inputs({ argv: [`-name=${value}`] })).values.name, value);
  }
});

test("a switch needs no value, takes one after an equals sign, and has a negation", () => {
  const ways: [string, boolean][] = [
    ["--debug", true],
    ["-debug", true],
    ["--debug=true", true],
    ["--debug=1", true],
    ["--debug=false", false],
    ["-debug=0", false],
    ["--no-debug", false],
    ["-no-debug", false],
  ];
  for (const [flag, expected] of ways)
    assert.equal(
      loadConfig(PROGRAM, inputs({ argv: [flag], file: `debug: ${!expected}` })).values.debug,
      expected,
      flag,
    );
});

test("a list flag may be repeated and may hold several values", () => {
  const load = (...argv: string[]) => loadConfig(PROGRAM, inputs({ argv, file: "peers: [z]" })).values.peers;
  assert.deepEqual(load(), ["z"]);
  assert.deepEqual(load("--peers", "a,b", "--peers=c"), ["a", "b", "c"]);
  assert.deepEqual(load("--peers", ""), []);
});

test("mistakes on the command line are told together, with what was probably meant", () => {
  const argv = ["--cuont", "5", "bare", "--no-debug=1", "--no-name", "-x", "--name", "--debug", "--wait"];
  assert.deepEqual(problemsOf(PROGRAM, { argv }), [
    'unknown flag "--cuont"; did you mean --count?',
    'unexpected argument "bare"; every setting is given with a flag',
    "flag --no-debug takes no value",
    'unknown flag "--no-name"; did you mean --name?',
    'unknown flag "-x"; --help lists them all',
    "flag --name needs a value (write --name=--debug if that is it)",
    "flag --wait needs a value",
  ]);
  assert.match(problemsOf(PROGRAM, { argv: ["--", "a"] })[0] ?? "", /unexpected argument "a"/);
});

test("the file is the one that is named, else the first of the known places", () => {
  const files = {
    "/cwd/config.yaml": "name: cwd",
    "/home/me/.config/demo/config.yaml": "name: home",
    "/xdg/demo/config.yaml": "name: xdg",
    "/etc/demo/config.yaml": "name: etc",
    "/one.yaml": "name: one",
    "/two.yaml": "name: two",
  };
  const name = (given: Parameters<typeof inputs>[0], without: string[] = []) => {
    const rest = Object.entries(files).filter(([path]) => !without.includes(path));
    return loadConfig(PROGRAM, inputs({ ...given, files: Object.fromEntries(rest) })).values.name;
  };
  assert.equal(name({}), "cwd");
  assert.equal(name({}, ["/cwd/config.yaml"]), "home");
  assert.equal(name({ env: { XDG_CONFIG_HOME: "/xdg" } }, ["/cwd/config.yaml"]), "xdg");
  assert.equal(name({}, ["/cwd/config.yaml", "/home/me/.config/demo/config.yaml"]), "etc");
  assert.equal(name({ env: { ANY_CONFIG: "/one.yaml" } }), "one");
  assert.equal(name({ env: { ANY_CONFIG: "/one.yaml", DEMO_CONFIG: "/two.yaml" } }), "two");
  assert.equal(name({ argv: ["-c", "/one.yaml"], env: { DEMO_CONFIG: "/two.yaml" } }), "one");
  assert.equal(name({ env: { ANY_CONFIG: "" } }), "cwd");
  assert.deepEqual(problemsOf(PROGRAM, { argv: ["--config=/no.yaml"], files }), [
    "flag --config: /no.yaml does not exist",
  ]);
  assert.deepEqual(problemsOf(PROGRAM, { env: { ANY_CONFIG: "/no.yaml" }, files }), [
    "environment ANY_CONFIG: /no.yaml does not exist",
  ]);
});

test("unknown keys of a file are refused, with what was probably meant", () => {
  const file = "cuont: 1\ndeployment-name: x\nzzzzzzzzz: 1\n__proto__: 1\nconstructor: 1\n";
  assert.deepEqual(problemsOf(PROGRAM, { file }), [
    '/cwd/config.yaml: unknown key "cuont"; did you mean count?',
    '/cwd/config.yaml: unknown key "deployment-name"; did you mean deployment_name?',
    '/cwd/config.yaml: unknown key "zzzzzzzzz"',
    '/cwd/config.yaml: unknown key "__proto__"',
    '/cwd/config.yaml: unknown key "constructor"',
  ]);
  assert.deepEqual(problemsOf(PROGRAM, { file: "name: a\ndeployment_name: b" }), [
    "/cwd/config.yaml: name and deployment_name are the same setting; keep one",
  ]);
});

test("a file that is no YAML map is refused with the place of the mistake, and without quoting it", () => {
  const bad = [
    `name: "${CANARY}`,
    `name: a\nname: ${CANARY}`,
    `token: *${CANARY}`,
    `token: @${CANARY}`,
    `token: !${CANARY} x`,
    `token: {${CANARY}`,
    `\tname: ${CANARY}`,
    `- ${CANARY}`,
    CANARY,
    `name: a\n---\nname: ${CANARY}`,
    `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]`,
  ];
  for (const file of bad) {
    const problems = problemsOf(PROGRAM, { file });
    assert.ok(problems.length > 0 && problems.every((problem) => problem.startsWith("/cwd/config.yaml")), file);
    assert.ok(!problems.join().includes(CANARY), problems.join("\n"));
  }
  for (const file of ["", "# nothing\n", "---\n", "{}"])
    assert.equal(loadConfig(PROGRAM, inputs({ file })).values.name, "box");
});

test("a value that is not accepted is told with its source, its key, itself and what is accepted, all at once", () => {
  const problems = problemsOf(PROGRAM, {
    file: "count: 0\nwait: 90\nname: 010\ndebug: perhaps\nhome:\npeers: {a: 1}",
    dotEnv: "DEMO_COUNT=abc",
    env: { DEMO_WAIT: "1 hour", OLD_NAME: "a\u0007b" },
    argv: ["--count", "1e3", "--home", "~/x"],
  });
  assert.deepEqual(problems, [
    "/cwd/config.yaml: debug: 'perhaps' is not accepted; accepted: true or false (1/0, yes/no, on/off)",
    "/cwd/config.yaml: name: 10 is not accepted; accepted: text (in a file, put numbers into quotes)",
    "environment OLD_NAME: 'a\\x07b' is not accepted; accepted: text (in a file, put numbers into quotes)",
    "/cwd/config.yaml: count: 0 is not accepted; accepted: a whole number from 1",
    "/cwd/.env DEMO_COUNT: 'abc' is not accepted; accepted: a whole number from 1",
    "flag --count: '1e3' is not accepted; accepted: a whole number from 1",
    "/cwd/config.yaml: wait: 90 is not accepted; accepted: a duration such as 30s, 2m30s or 1.5h, from 0s",
    "environment DEMO_WAIT: '1 hour' is not accepted; accepted: a duration such as 30s, 2m30s or 1.5h, from 0s",
    "/cwd/config.yaml: peers: { a: 1 } is not accepted; accepted: a list of names",
    "/cwd/config.yaml: home: null is not accepted; accepted: a path, written out (no ~)",
    "flag --home: '~/x' is not accepted; accepted: a path, written out (no ~)",
  ]);
});

test("a variable that others use too may hold what it likes; one of ours may not", () => {
  const { values, warnings } = loadConfig(PROGRAM, inputs({ env: { DEBUG: "*", COUNT: "many" }, file: "count: 7" }));
  assert.equal(values.debug, false);
  assert.equal(values.count, 7);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /^environment DEBUG: '\*' is not accepted.*ignored/);
  assert.match(problemsOf(PROGRAM, { env: { DEMO_DEBUG: "*" } })[0] ?? "", /^environment DEMO_DEBUG: '\*'/);
});

test("of several variables of one setting the program's own wins, then the order of the table", () => {
  const env = { DEMO_NAME: "own", OLD_NAME: "old", OLDER_NAME: "older" };
  const name = (...names: (keyof typeof env)[]) => {
    const given = Object.fromEntries(names.map((one) => [one, env[one]]));
    return loadConfig(PROGRAM, inputs({ env: given })).values.name;
  };
  assert.equal(name("OLDER_NAME"), "older");
  assert.equal(name("OLDER_NAME", "OLD_NAME"), "old");
  assert.equal(name("OLDER_NAME", "OLD_NAME", "DEMO_NAME"), "own");
});

test("foreign variables are passed over, but a near miss of one of ours is pointed out", () => {
  const env = { PATH: "/bin", DEMO_NAEM: "x", DEMO_SOMETHING_ELSE: "y" };
  const { warnings } = loadConfig(PROGRAM, inputs({ env, dotEnv: "FOREIGN=1\nDEMO_COUTN=2" }));
  assert.deepEqual(warnings, [
    "/cwd/.env DEMO_COUTN is not known; did you mean DEMO_COUNT?",
    "environment DEMO_NAEM is not known; did you mean DEMO_NAME?",
  ]);
});

test("a secret is shown in no message, no print-out and no help", () => {
  const given = { file: `token: ${CANARY}` };
  const loaded = loadConfig(PROGRAM, inputs(given));
  assert.equal(loaded.values.token?.reveal(), CANARY);
  assert.ok(!printConfig(PROGRAM, loaded).includes(CANARY));
  assert.match(printConfig(PROGRAM, loaded), /^token: "\*\*\*" +# \/cwd\/config.yaml: token$/m);
  for (const bad of [
    { file: `token: [${CANARY}]` },
    { env: { DEMO_TOKEN: `a\n${CANARY}` } },
    { argv: ["--token", `${CANARY}\n\u0001`] },
  ])
    assert.ok(!problemsOf(PROGRAM, bad).join("\n").includes(CANARY));
  const { warnings } = loadConfig(PROGRAM, inputs({ argv: ["--token", CANARY] }));
  assert.deepEqual(warnings, ["flag --token can be seen by every user of this host (ps); use a file instead"]);
});

test("a file with a secret in it that every user can read is refused", () => {
  for (const given of [{ file: `token: ${CANARY}` }, { dotEnv: `DEMO_TOKEN=${CANARY}` }]) {
    assert.match(problemsOf(PROGRAM, { ...given, mode: 0o644 })[0] ?? "", /every user .* chmod 600 \/cwd\//);
    loadConfig(PROGRAM, inputs({ ...given, mode: 0o640 }));
  }
  loadConfig(PROGRAM, inputs({ file: 'token: ""\nname: x', mode: 0o644 }));
});

test("a file that cannot be read is one of the problems", () => {
  const broken = {
    ...inputs({ argv: ["--count=0"] }),
    read: (path: string) => {
      throw new Error(`${path} cannot be read`);
    },
  };
  assert.throws(() => loadConfig(PROGRAM, broken), /\.env cannot be read[^]*config.yaml cannot be read[^]*--count/);
});

test("combinations are looked at once every single value is right", () => {
  const program = {
    ...PROGRAM,
    check: ({ count }: { count: number }) => (count === 13 ? ["thirteen is unlucky"] : []),
  };
  assert.deepEqual(problemsOf(program, { file: "count: 13" }), ["thirteen is unlucky"]);
  assert.equal(problemsOf(program, { file: "count: 13\nwait: x" }).length, 1);
  assert.equal(loadConfig(program, inputs({ file: "count: 12" })).values.count, 12);
});

test("what is printed is a configuration file that gives the same values, with the source of each", () => {
  const given = {
    argv: ["-N", "010", "--debug"],
    env: { DEMO_WAIT: "90s", COUNT: "5" },
    dotEnv: 'DEMO_HOME="/a b"',
    file: "peers: [a, b]",
  };
  const loaded = loadConfig(PROGRAM, inputs(given));
  const printed = printConfig(PROGRAM, loaded);
  assert.deepEqual(loadConfig(PROGRAM, inputs({ file: printed })).values, loaded.values);
  assert.deepEqual(
    printed.split("\n").map((line) => line.split("  #")[1]?.trim()),
    [
      "flag --debug",
      "flag -N",
      "environment COUNT",
      "environment DEMO_WAIT",
      "/cwd/config.yaml: peers",
      "(default)",
      "/cwd/.env DEMO_HOME",
      "(default)",
      undefined,
    ],
  );
});

test("help lists every setting with its flags, effect, default and variables", () => {
  const help = helpText(PROGRAM, inputs({}).host);
  assert.match(
    help,
    /^ {2}-N, --name, --deployment-name NAME\n {8}Names it\.\n {8}Default: the host name\. Environment: DEMO_NAME, OLD_NAME, OLDER_NAME\.$/m,
  );
  assert.match(help, /^ {2}--\[no-\]debug\n {8}Says more\.\n {8}Default: false\. Environment: DEMO_DEBUG, DEBUG\.$/m);
  assert.match(help, /Default: 1s\./);
  assert.ok(help.split("\n").every((line) => line.length <= 100));
});

test("help, version and the printed configuration are asked for wherever the flag stands", () => {
  assert.equal(requested(PROGRAM, ["--name", "x", "--help"]), "help");
  assert.equal(requested(PROGRAM, ["-h", "--nonsense"]), "help");
  assert.equal(requested(PROGRAM, ["-version"]), "version");
  assert.equal(requested(PROGRAM, ["--print-config"]), "print-config");
  assert.equal(requested(PROGRAM, ["--name=--help"]), undefined);
});
