/** Every setting of the server: its name, kind, default and effect. Flags, variables, help and documentation come from here. */

import { join } from "node:path";
import { auditSettings } from "../audit/settings.ts";
import { type Program, setting, type ValuesOf } from "../boot/setting.ts";
import { duration, integer, path, size, text, toggle } from "../boot/value.ts";
import { NodeName } from "../protocol/node.ts";
import { appSettings, connectionSettings, placeSettings, tlsProblems } from "../door/settings.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MEBIBYTE = 1024 * 1024;
/** Below this, rotation would keep next to nothing. */
const MIN_LOG_SIZE = 64 * 1024;
/** Each host has two of them, its line and its reports: enough for as many hosts as there may be, and for people. */
const MAX_CONNECTIONS = 24_576;

const SETTINGS = {
  debug: setting({ type: toggle(), default: false, effect: "Logs what the server does in detail." }),
  ...placeSettings({ who: "server", where: { address: "0.0.0.0", port: 8080 } }),
  ...appSettings({ who: "server" }),
  data_dir: setting({
    type: path(),
    default: ({ home, env }) => join(env["XDG_STATE_HOME"] || join(home, ".local", "state"), "fairlead-server"),
    defaultWords: "$XDG_STATE_HOME/fairlead-server, else ~/.local/state/fairlead-server",
    effect: "The server's state: its database, keys and token. Made with mode 0700; one server at a time can have it.",
  }),
  log_directory: setting({
    type: path(),
    default: (_, { data_dir: state }) => join(String(state), "log"),
    defaultWords: "the directory log in data_dir",
    effect: "Where the server's log files are written, beside standard error.",
  }),
  log_max_size: setting({
    type: size({ min: 0 }),
    default: 64 * MEBIBYTE,
    effect: "What all log files together may take, at least 64k; 0 writes none.",
  }),
  heartbeat_interval: setting({
    type: duration({ min: SECOND, max: DAY }),
    default: 10 * SECOND,
    effect:
      "How often hosts report, unless a host has a setting of its own, here (ctl nodes set) or in its own configuration. After three missed reports a host is NotReady.",
  }),
  poll_interval: setting({
    type: duration({ min: SECOND, max: DAY }),
    default: 10 * SECOND,
    effect:
      "How often hosts ask for what they should run, unless a host has a setting of its own. No agent does that yet.",
  }),
  key_interval: setting({
    type: duration({ min: MINUTE, max: 366 * DAY }),
    default: DAY,
    effect: "How often a host makes itself a new key, unless it has a setting of its own.",
  }),
  bootstrap_lifetime: setting({
    type: duration({ min: SECOND, max: 7 * DAY }),
    default: 15 * MINUTE,
    effect: "How long the one-time token of a new host can be used.",
  }),
  own_host: setting({
    type: text("NAME"),
    default: "",
    effect:
      "A host that is added when the server starts, such as the machine that it runs on; empty: none. Its agent finds its one-time token in own_host_directory.",
  }),
  own_host_directory: setting({
    type: path(),
    default: "",
    effect:
      "A directory that the server shares with the agent of own_host, whose token_file is the file token in it. Made with mode 0700.",
  }),
  login_lifetime: setting({
    type: duration({ min: MINUTE, max: 366 * DAY }),
    default: 30 * DAY,
    effect: "How long ctl stays logged in.",
  }),
  direct: setting({
    type: toggle(),
    default: true,
    effect:
      "Lets ctl dial the agents that it reaches, with a pass of this server; off: every session comes through the server.",
  }),
  direct_offline: setting({
    type: duration({ min: 0, max: DAY }),
    default: 15 * MINUTE,
    effect:
      "How long a session that came to an agent directly may go on while the agent hears nothing from this server, which could withdraw it.",
  }),
  event_history: setting({
    type: integer({ min: 100, max: 1_000_000 }),
    default: 10_000,
    effect: "Events that are kept.",
  }),
  ...auditSettings(),
  ...connectionSettings({ who: "server", connections: MAX_CONNECTIONS }),
  shutdown_grace: setting({
    type: duration({ min: 0, max: HOUR }),
    default: 10 * SECOND,
    effect:
      "How long the server may take to end when it is told to. It waits for nobody: kept sessions go on through the next one, and what else is open, such as an exec without a terminal or a container's pages, is cut. A second signal ends it at once.",
  }),
};

export type ServerConfig = ValuesOf<typeof SETTINGS>;

export function serverProgram(version: string): Program<typeof SETTINGS> {
  return {
    name: "fairlead server",
    version,
    summary: "Joins agents into a fleet: knows the hosts, and carries sessions to those that nobody can dial.",
    settings: SETTINGS,
    directory: "fairlead",
    file: "server.yaml",
    prefix: "FAIRLEAD_SERVER_",
    configVariables: [],
    check: (config) => {
      const problems = tlsProblems(config);
      if (config.log_max_size > 0 && config.log_max_size < MIN_LOG_SIZE)
        problems.push("log_max_size must be 0 or at least 64k");
      if (config.own_host !== "" && !NodeName.safeParse(config.own_host).success)
        problems.push("own_host must be letters, digits and ._- (at most 253)");
      if ((config.own_host === "") !== (config.own_host_directory === ""))
        problems.push("own_host and own_host_directory belong together: set both or none");
      return problems;
    },
  };
}
