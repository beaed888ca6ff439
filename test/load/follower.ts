/** Somebody who follows a list that goes on, and counts what he is sent. */

import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import type { TestServer } from "../support/server.ts";

export class Follower implements Disposable {
  bytes = 0;
  readonly #asked: ClientRequest;

  private constructor(asked: ClientRequest) {
    this.#asked = asked;
  }

  /** As the owner of the server's machine, at its socket file. */
  static async open({ stateDir, token }: TestServer, path: string): Promise<Follower> {
    const headers = { authorization: `Bearer ${token}` };
    const follower = new Follower(request({ socketPath: join(stateDir, "server.sock"), path, headers }));
    follower.#asked.end();
    const [answer] = (await once(follower.#asked, "response")) as [IncomingMessage];
    answer.on("data", (bytes: Buffer) => (follower.bytes += bytes.length));
    answer.on("error", () => {});
    return follower;
  }

  [Symbol.dispose](): void {
    this.#asked.destroy();
  }
}
