/** Writes config.yaml and docs/configuration.md out of the agent's table of settings, so that neither can say anything else. */

import { defaultText, yaml } from "../../src/boot/help.ts";
import { flagsOf, type Host, type Program, type Table, variablesOf } from "../../src/boot/setting.ts";
import { ALLOWS, RIGHTS } from "../../src/protocol/rights.ts";

const WIDTH = 100;

/** Every setting as a comment with its default: the file changes nothing until somebody edits it. */
export function exampleConfig(program: Program<Table>): string {
  const entries = Object.entries(program.settings).map(([key, definition]) => {
    const initial = definition.default;
    const value = typeof initial === "function" ? definition.defaultWords : yaml(definition.type.show(initial));
    return `${comment(definition.effect)}\n#${key}: ${typeof initial === "function" ? `# ${value}` : value}`;
  });
  const intro = `Settings of the agent, all at their defaults: remove the # in front of one to change it. Stronger than this file are ./.env, then the environment, then flags. docs/configuration.md tells more; \`fairlead agent --print-config\` shows what is in effect and why.`;
  return `${[comment(intro), ...entries].join("\n\n")}\n`;
}

/** The reference page: how settings are found, and each of them. */
export function configurationPage(program: Program<Table>, host: Host): string {
  const sections = Object.entries(program.settings).map(([key, definition]) => {
    const flags = flagsOf(program, key).map((name) => `\`--${name}\``);
    const negation = definition.type.form === "switch" ? [`\`--no-${flagsOf(program, key)[0]}\``] : [];
    const short = definition.short ? [`\`-${definition.short}\``] : [];
    const keys = [key, ...(definition.aliases ?? [])].map((name) => `\`${name}\``);
    const variables = variablesOf(program, key).map(({ name, shared }) => `\`${name}\`${shared ? " (shared)" : ""}`);
    const initial = definition.defaultWords ?? `\`${defaultText(definition, host)}\``;
    return [
      `### ${key}`,
      definition.effect,
      [
        `- Default: ${initial}`,
        `- Accepted: ${definition.type.accepts}`,
        `- In a file: ${keys.join(", ")}`,
        `- Flags: ${[...short, ...flags, ...negation].join(", ")}`,
        `- Environment: ${variables.join(", ")}`,
      ].join("\n"),
    ].join("\n\n");
  });
  return `${[INTRODUCTION, ...sections].join("\n\n")}\n`;
}

const INTRODUCTION = `# Configuration of the agent

Every setting can be given in a file, in \`.env\`, in the environment and as a flag. The stronger source wins:

    defaults  <  config.yaml  <  .env  <  environment  <  flags

Each source can also set \`false\`, \`0\` and the empty text over what a weaker one says. \`fairlead agent --print-config\`
shows every value and where it comes from (secrets hidden); \`fairlead agent --help\` lists what is on this page.

**The file** is the one named with \`--config PATH\`, \`FAIRLEAD_CONFIG\` or \`AGENT_CONFIG\`; else the first that exists of
\`./config.yaml\`, \`$XDG_CONFIG_HOME/fairlead/config.yaml\` (\`~/.config\` where that is not set),
\`/etc/fairlead/config.yaml\` and \`/etc/fairlead/agent.yaml\`. Only one file is read. [config.yaml](../config.yaml) holds every key with its default. A key
that does not exist is an error.

**Two modes.** On somebody's own machine (\`mode: byom\`, the default) two files of the user's own in \`~/.config/fairlead/\` count
too, weaker than all of the above. \`credentials.json\` is what lets the host in: \`{"server_url": "https://box:8080", "token":
"flb_..."}\` (mode 0600); \`ctl nodes add --here\` writes it. \`config.json\` has preferences, such as \`{"WORKER_NAME": "desk"}\`. Their
keys are those of this page or names of their variables. A host of a managed fleet (\`mode: fleet\`) has everything in its
\`config.yaml\` or \`agent.yaml\`, the mode included, and these two are not read. In both modes what registration gave the host is
kept in \`identity.json\` in \`data_dir\`.

**\`.env\`** is read from the directory the agent is started in. It and the environment may hold other programs' variables. A
variable marked _shared_ below is one that other programs use too: there a value that does not fit (\`DEBUG=*\`) is a warning
and ignored, everywhere else it is an error. Of several variables of one setting in one source the first listed wins.

**Flags** are written \`--name value\`, \`--name=value\`, \`-name value\` or \`-name=value\`; a switch also \`--name=false\` or
\`--no-name\`. A list is text with commas or spaces, and its flag may be repeated.

**Secrets** belong into a file that only the agent's user can read. A file that holds one and can be read by every user is
refused; one given as a flag can be seen by every user of the host, and the agent warns. They are never shown or logged.

All mistakes are told at once and end the start with exit code 2.

Where the defaults differ from comparable agents: \`server_url\` is empty, because this agent is complete without a server;
\`heartbeat_interval\` is the server's, 10s; \`docker_host\` is the first of the usual sockets that is there, Docker's or Podman's.

## An example

\`\`\`yaml
server_url: https://fairlead.example.com
node_name: gpu-box-1
listen_address: 0.0.0.0
tls_cert: /etc/fairlead/cert.pem
tls_key: /etc/fairlead/key.pem
public_urls: [https://gpu-box-1.example.com:9090]
grants:
  - name: ci
    token_sha256: <64 digits from printf %s "$TOKEN" | sha256sum>
    rights: [list, logs]
    scopes:
      - com.docker.compose.project: shop
      - team: web
        public: ""
  - name: operator
    token: <from openssl rand -hex 32>
    rights: [admin]
\`\`\`

\`ci\` may list and read the logs of every container of the Compose project \`shop\`, and of those that carry both the label
\`team=web\` and a label \`public\` of any value. \`operator\` may do everything.

The rights:

${RIGHTS.map((right) => `- \`${right}\`: ${ALLOWS[right]}`).join("\n")}

## Every setting`;

function comment(text: string): string {
  const lines = ["#"];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length >= WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join("\n");
}
