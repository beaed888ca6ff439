/** `ctl login`: a token of a server for this user, by a one-time code or by somebody's approval. */

import { hostname, userInfo } from "node:os";
import { Command } from "commander";
import { wait } from "../../lib/wait.ts";
import {
  APPROVE_PATH,
  DEVICE_PATH,
  DEVICE_TOKEN_PATH,
  DeviceReply,
  LOGIN_PATH,
  LOGIN_SCHEME,
  LoginReply,
  PendingReply,
} from "../../protocol/login.ts";
import { contextsFile, saveContext } from "../connection/contexts.ts";
import { addressOf } from "../connection/http.ts";
import type { Connection } from "../connection.ts";
import { Failure, UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import type { Entry } from "./entry.ts";

interface Options {
  code?: string;
  approve?: string;
  name?: string;
}

const EXAMPLES = `
Examples:
  ctl login https://server:8080 --code 7KQ2-MX9D-4TBA    with the code that the server printed at its first start
  ctl login https://server:8080                          prints a code and an address, and waits for somebody to approve it there
  ctl login --approve 7KQ2-MX9D-4TBA                     approves the login of another, who may then do what you may

The server that was logged in to last is the one that every other command means; ctl context changes that.`;

export function loginCommand(invocation: Invocation): Entry {
  const command = new Command("login")
    .description("Log in to a server.")
    .argument("[url]", "the server's address")
    .option("--code <code>", "a one-time code that the server gave")
    .option("--approve <code>", "let somebody else's waiting login in")
    .option("--name <name>", "what the token is for (default: user@host)")
    .addHelpText("after", EXAMPLES);
  return { command, work: (url: string | undefined, options: Options) => login(invocation, url, options) };
}

async function login(invocation: Invocation, url: string | undefined, options: Options): Promise<number> {
  if (options.approve !== undefined) return await approve(invocation, options.approve);
  if (url === undefined) throw new UsageError("Name the server: ctl login https://host:port.");
  const connection = await invocation.connection({ server: url, token: "none yet" });
  const name = options.name ?? `${userInfo().username}@${hostname()}`.replaceAll(/[^A-Za-z0-9._@-]/g, "-");
  const reply =
    options.code === undefined
      ? await byApproval(invocation, connection, name)
      : await byCode(connection, options.code, name);
  await save(invocation, connection, reply);
  return 0;
}

async function byCode(connection: Connection, code: string, name: string): Promise<LoginReply> {
  const authorization = `${LOGIN_SCHEME} ${code.replaceAll(/\s/g, "")}`;
  return LoginReply.parse(await connection.send({ method: "POST", path: LOGIN_PATH, authorization, body: { name } }));
}

/** Asks until somebody has said yes, or the time is over. */
async function byApproval(invocation: Invocation, connection: Connection, name: string): Promise<LoginReply> {
  const asked = { method: "POST", path: DEVICE_PATH, authorization: LOGIN_SCHEME, body: { name } } as const;
  const { device, code, interval, expires } = DeviceReply.parse(await connection.send(asked));
  tellCode(invocation, connection, code);
  const fetch = {
    method: "POST",
    path: DEVICE_TOKEN_PATH,
    authorization: `${LOGIN_SCHEME} ${device}`,
    body: {},
  } as const;
  const over = AbortSignal.timeout(Math.max(0, expires - Date.now()));
  while (!over.aborted) {
    const answer = await connection.send(fetch);
    if (!PendingReply.safeParse(answer).success) return LoginReply.parse(answer);
    await wait(interval, over);
  }
  throw new Failure("Nobody approved the login in time. Run the command again.");
}

function tellCode({ messages }: Invocation, { server }: Connection, code: string): void {
  const page = addressOf(server, "/");
  // Behind the # it is sent to no server and stands in no log.
  page.hash = `approve=${code}`;
  messages.say(`The code is ${code}. Whoever administers ${page.origin} lets you in at:`);
  messages.say(`  ${page.href}`);
  messages.say(`or with: ctl login --approve ${code}`);
}

async function approve(invocation: Invocation, code: string): Promise<number> {
  const connection = await invocation.connection();
  const answer = await connection.send({ method: "POST", path: APPROVE_PATH, body: { code } });
  await invocation.stdout.write(`${(answer as { name: string }).name} is let in.\n`);
  return 0;
}

async function save({ world: { env }, stdout }: Invocation, connection: Connection, reply: LoginReply): Promise<void> {
  const { url, pin } = connection.server;
  const context = { server: url.href, token: reply.token, ...(pin && { pin: pin.value }) };
  await saveContext(env, url.host, context, "use");
  const lines = [
    `Logged in to ${url.origin} as ${reply.name}; every command means it from now on.`,
    ...(pin ? [`Its pin is ${pin.value}.`] : []),
    `The token is kept in ${contextsFile(env)}.`,
  ];
  await stdout.write(`${lines.join("\n")}\n`);
}
