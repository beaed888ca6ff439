/** Opens a container's page in a tab of its own, on the origin that the agent or server gives it. */

import { type Signal, signal } from "@preact/signals";
import { Invited } from "../../protocol/app.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Account } from "../account.ts";
import { failure } from "../failure.ts";
import { fullName, type Placed } from "./containers.ts";

export class Opener {
  /** Why the last one could not be opened. */
  readonly problem: Signal<string | undefined> = signal(undefined);
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  /** What is opened knows nothing of this page. Never rejects. */
  async open(container: Placed, port: number): Promise<void> {
    this.problem.value = undefined;
    try {
      const body = JSON.stringify({ port });
      const answer = await this.#account.call(`${apiOf(container.node)}/containers/${container.id}/open`, {
        method: "POST",
        body,
      });
      const { url } = Invited.parse(await answer.json());
      window.open(url, "_blank", "noopener,noreferrer");
    } catch (error) {
      this.problem.value = `Port ${port} of ${fullName(container)} cannot be opened: ${failure(error).message}`;
    }
  }
}
