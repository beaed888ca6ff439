/** Opens a container's page in a tab of its own, on the origin that the agent gives it. */

import { type Signal, signal } from "@preact/signals";
import * as z from "zod/mini";
import type { ContainerView } from "../../protocol/container.ts";
import type { Account } from "../account.ts";
import { failure } from "../failure.ts";

const Invitation = z.object({ url: z.string() });

export class Opener {
  /** Why the last one could not be opened. */
  readonly problem: Signal<string | undefined> = signal(undefined);
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  /** What is opened knows nothing of this page. Never rejects. */
  async open({ id, name }: ContainerView, port: number): Promise<void> {
    this.problem.value = undefined;
    try {
      const body = JSON.stringify({ port });
      const answer = await this.#account.call(`/api/v1/containers/${id}/open`, { method: "POST", body });
      const { url } = Invitation.parse(await answer.json());
      window.open(url, "_blank", "noopener,noreferrer");
    } catch (error) {
      this.problem.value = `${name}:${port} cannot be opened: ${failure(error).message}`;
    }
  }
}
