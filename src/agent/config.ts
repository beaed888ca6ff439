/** Every setting of the agent: its name, kind, default and effect. Flags, variables, help and docs/configuration.md come from here. */

import { join } from "node:path";
import { z } from "zod";
import { auditSettings } from "../audit/settings.ts";
import { type Program, setting, type ValuesOf } from "../boot/setting.ts";
import { choice, duration, integer, list, optional, path, secret, size, text, toggle, url } from "../boot/value.ts";
import { appSettings, connectionSettings, placeSettings, tlsProblems } from "../door/settings.ts";
import { ENGINE_SETTINGS } from "./engine-settings.ts";
import { GRANTS_SETTING } from "./grants.ts";
import { OpenHeader } from "../protocol/open.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const MEBIBYTE = 1024 * 1024;
/** Below this, rotation would keep next to nothing. */
const MIN_LOG_SIZE = 64 * 1024;
/** Kinds of what is done, that the audit can be required for. */
const AUDITED = [
  ...OpenHeader.shape.op.options.filter((op) => op !== "dial" && op !== "resume" && op !== "observe"),
  "observer",
  "start",
  "stop",
  "restart",
  "remove",
];

const SETTINGS = {
  debug: setting({
    type: toggle(),
    default: false,
    effect: "Logs what the agent does in detail.",
    sharedVariables: ["DEBUG"],
  }),
  server_url: setting({
    type: url("http", "https", "ws", "wss"),
    default: "",
    effect: `The server that this agent registers with; empty: none, the agent serves its own host only. Other machines are reached with TLS.`,
    short: "S",
    aliases: ["url"],
    variables: ["GALLEY_CONTROL_PLANE_URL", "ORCHESTRATOR_WS_URL"],
    sharedVariables: ["SERVER_URL"],
  }),
  node_name: setting({
    type: {
      ...text("NAME"),
      schema: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/),
      accepts: "letters, digits and ._- (at most 253)",
    },
    default: ({ hostname }) => hostname,
    defaultWords: "the host name",
    effect: "The name of this host, unique among the agents of a server; set it where host names are not.",
    short: "D",
    aliases: ["deployment_name"],
    variables: ["WORKER_NAME"],
    sharedVariables: ["NODE_NAME"],
  }),
  token: setting({
    type: secret(),
    default: undefined,
    defaultWords: "none",
    effect: `The token with which this agent registers at the server; access to this agent is configured with grants. It is used once (ctl nodes add prints it); from then on the agent has a key of its own.`,
    variable: "FAIRLEAD_AGENT_TOKEN",
    variables: ["GALLEY_AGENT_TOKEN"],
    secret: (raw) => raw !== "",
  }),
  token_file: setting({
    type: path(),
    default: "",
    effect: `A file that holds that token instead, readable by the agent's user only. It is read again at each attempt, and a host that is registered does not need it any more.`,
    variable: "FAIRLEAD_AGENT_TOKEN_FILE",
    secretFile: "when there",
  }),
  direct: setting({
    type: toggle(),
    default: true,
    effect:
      "Lets those whom the server lets in dial this agent past it, where it listens for other machines with TLS of its own. Off: they come through the server.",
  }),
  mode: setting({
    type: choice("byom", "fleet"),
    default: "byom",
    effect:
      "What the server is told of this host: byom, somebody's own machine, or fleet, one that is deployed and managed, whose agent does not read its user's own files credentials.json and config.json.",
    sharedVariables: ["AGENT_MODE"],
  }),
  heartbeat_interval: setting({
    type: optional(duration({ min: SECOND, max: DAY })),
    default: undefined,
    defaultWords: "as the server wants",
    effect:
      "How often the agent reports to the server; empty: as often as the server wants. A setting that the server has for this host (ctl nodes set) counts for more. Keep it well below any network timeout between them.",
    sharedVariables: ["HEARTBEAT_INTERVAL"],
  }),
  ...ENGINE_SETTINGS,
  ...placeSettings({
    who: "agent",
    where: { address: "127.0.0.1", port: 9090 },
    portNames: { aliases: ["agent_port"], variables: ["AGENT_LISTEN_PORT"] },
  }),
  ...appSettings({ who: "agent" }),
  grants: GRANTS_SETTING,
  host_shell: setting({
    type: toggle(),
    default: false,
    effect:
      "Lets the holders of the right host-shell work on this host itself (ctl shell). admin includes the right; a grant with scopes never has it.",
  }),
  host_shell_user: setting({
    type: text("USER"),
    default: "",
    effect:
      "The account that host shells run as; empty: the agent's own. Another one needs an agent that runs as root.",
  }),
  data_dir: setting({
    type: path(),
    default: ({ home, env }) => join(env["XDG_STATE_HOME"] || join(home, ".local", "state"), "fairlead"),
    defaultWords: "$XDG_STATE_HOME/fairlead, else ~/.local/state/fairlead",
    effect: "The agent's state: its token, keys and journal. Made with mode 0700; one agent at a time can have it.",
    variables: ["GALLEY_DATA_DIR"],
    sharedVariables: ["DATA_DIR"],
  }),
  build_directory: setting({
    type: path(),
    default: "/tmp",
    effect: `Where images are built, once the agent builds any.`,
    short: "b",
  }),
  log_directory: setting({
    type: path(),
    default: (_, { data_dir: state }) => join(String(state), "log"),
    defaultWords: "the directory log in data_dir",
    effect: "Where the agent's log files are written, beside standard error.",
  }),
  log_max_size: setting({
    type: size({ min: 0 }),
    default: 64 * MEBIBYTE,
    effect: "What all log files together may take, at least 64k; 0 writes none.",
  }),
  audit_required: setting({
    type: list(z.enum(AUDITED), `kinds of session: ${AUDITED.join(" ")}`, "KINDS"),
    default: [],
    effect:
      "What may only begin once its record is on the disk: where the audit log cannot be written, these are refused. Everything else begins all the same, and its records are written when that is possible again.",
  }),
  ...auditSettings(),
  max_sessions: setting({
    type: integer({ min: 1 }),
    default: 500,
    effect:
      "Sessions at a time, connections of port-forwards not counted. As of the next two, one person or token gets three quarters at most of what the others leave.",
  }),
  max_sessions_per_container: setting({
    type: integer({ min: 1 }),
    default: 256,
    effect: "Sessions of one container at a time.",
  }),
  max_forwarded_connections: setting({
    type: integer({ min: 1 }),
    default: 1000,
    effect: "TCP connections of all port-forwards at a time.",
  }),
  ...connectionSettings({ who: "agent", connections: 1_024 }),
  session_idle_timeout: setting({
    type: duration({ min: 0 }),
    default: 4 * HOUR,
    effect: "Ends a session that carries nothing for this long; 0 never does.",
  }),
  grace: setting({
    type: duration({ min: 0, max: DAY }),
    default: 60 * SECOND,
    effect: "How long a session whose client is gone waits for it, unless the client asked for another time.",
  }),
  replay_budget: setting({
    type: size({ min: MEBIBYTE }),
    default: 64 * MEBIBYTE,
    effect: "Memory for what clients have not acknowledged yet, over all sessions; each has 64k of it in any case.",
  }),
  shutdown_grace: setting({
    type: duration({ min: 0, max: HOUR }),
    default: 10 * SECOND,
    effect: "How long open sessions may finish when the agent is told to end; a second signal ends them at once.",
  }),
};

export type AgentConfig = ValuesOf<typeof SETTINGS>;

export function agentProgram(version: string): Program<typeof SETTINGS> {
  return {
    name: "fairlead agent",
    version,
    summary: "Serves the containers of this host: shells, logs and ports, to browsers and to ctl.",
    settings: SETTINGS,
    directory: "fairlead",
    file: "config.yaml",
    managedFile: "agent.yaml",
    personalFiles: ["credentials.json", "config.json"],
    isPersonal: ({ mode }) => mode === "byom",
    prefix: "FAIRLEAD_",
    configVariables: ["AGENT_CONFIG"],
    check: combinations,
  };
}

function combinations(config: AgentConfig): string[] {
  const problems = tlsProblems(config);
  if (config.docker_tls_verify && config.docker_cert_path === "")
    problems.push("docker_tls_verify needs certificates: name their directory in docker_cert_path");
  if (config.token && config.token_file) problems.push("token and token_file are both set: keep one");
  if (config.log_max_size > 0 && config.log_max_size < MIN_LOG_SIZE)
    problems.push("log_max_size must be 0 or at least 64k");
  return problems;
}
