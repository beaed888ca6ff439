/** What a command has of the server: sessions over one connection, and answers over HTTP. */

import type { IncomingMessage } from "node:http";
import { Client, type ClientOptions } from "../client/client.ts";
import type { LinkState } from "../client/link.ts";
import { FairleadError, Problem } from "../protocol/errors.ts";
import { readNdjson } from "../protocol/ndjson.ts";
import { dialler } from "./connection/dial.ts";
import { nodeDialler } from "./connection/direct.ts";
import { type Call, call, callJson, piecesOf, stranger } from "./connection/http.ts";
import { locate, type Server, type Wanted } from "./connection/locate.ts";
import type { Messages } from "./messages.ts";
import { SOFTWARE } from "./version.ts";

interface ClientWish {
  onState: NonNullable<ClientOptions["onState"]>;
  bulk?: boolean;
}

interface FindParts {
  env: NodeJS.ProcessEnv;
  messages: Messages;
  /** Absent where nobody can be asked. */
  introduce: Server["introduce"];
}

export class Connection {
  readonly server: Server;
  readonly #messages: Messages;
  readonly #direct: boolean;

  /** Finds the server; talks to nobody yet. */
  static async find(wanted: Wanted, { env, messages, introduce }: FindParts): Promise<Connection> {
    const server = await locate(wanted, env);
    if (introduce) server.introduce = introduce;
    const { pin } = server;
    messages.explain(() => `the server is ${server.url.href} (from ${server.urlFrom})`);
    messages.explain(() => `the token is from ${server.tokenFrom}`);
    if (pin) messages.explain(() => `its key must have the pin ${pin.value} (from ${pin.from})`);
    return new Connection(server, { messages, direct: wanted.direct ?? true });
  }

  private constructor(server: Server, { messages, direct }: { messages: Messages; direct: boolean }) {
    this.server = server;
    this.#messages = messages;
    this.#direct = direct;
  }

  /** Connects when its first session is opened. For bulk it is TCP, whose buffers grow; a socket file is quicker for the rest. */
  client({ onState, bulk = false }: ClientWish): Client {
    const { socket, ...tcp } = this.server;
    const server = socket && !bulk ? { ...tcp, socket } : tcp;
    const messages = this.#messages;
    const explain = (words: () => string) => messages.explain(words);
    const alarm = (words: string) => messages.say(words);
    return new Client({
      dial: dialler(server),
      ...(this.#direct && { dialNode: (node: string) => nodeDialler({ server, node, explain, alarm }) }),
      software: SOFTWARE,
      onState: (state, node) => {
        explain(() => linkWords(state));
        onState(state, node);
      },
    });
  }

  get(path: string): Promise<unknown> {
    return this.send({ method: "GET", path });
  }

  post(path: string): Promise<unknown> {
    return this.send({ method: "POST", path });
  }

  send(call: Call): Promise<unknown> {
    this.#messages.explain(() => `${call.method} ${call.path}`);
    return callJson(this.server, call);
  }

  /** The JSON values of an answer that goes on, one a line; throws the problem on its last line, if there is one. */
  async *lines(path: string): AsyncGenerator<unknown, void, void> {
    this.#messages.explain(() => `GET ${path}, as it changes`);
    const answer = await call(this.server, { method: "GET", path });
    for await (const value of this.#values(answer)) {
      const problem = Problem.safeParse(value);
      if (problem.success) throw FairleadError.from(problem.data);
      yield value;
    }
  }

  async *#values(answer: IncomingMessage): AsyncGenerator<unknown, void, void> {
    try {
      yield* readNdjson(piecesOf(answer));
    } catch (error) {
      const isStrange = error instanceof FairleadError && error.code === "protocol-error";
      throw isStrange ? stranger(this.server, "its answer is not lines of JSON", error) : error;
    }
  }
}

function linkWords(state: LinkState): string {
  switch (state.state) {
    case "connecting":
      return "connecting";
    case "connected":
      return state.again ? "connected again" : "connected";
    case "leaving":
      return `the other side says goodbye (${state.reason}); it ends in ${Math.round(state.endsInMs)} ms`;
    case "reconnecting":
      return `the connection is lost (${state.error.message}); attempt ${state.attempt} in ${Math.round(state.retryInMs)} ms`;
    case "closed":
      return state.error ? `the connection is closed (${state.error.message})` : "the connection is closed";
  }
}
