/** A new host: its name, and the one command that makes it one. */

import { useSignal } from "@preact/signals";
import * as z from "zod/mini";
import { joinCommand } from "../../protocol/fleet.ts";
import type { Account } from "../account.ts";
import { addressOf } from "../address.ts";
import { Copyable } from "../copyable.tsx";
import { Countdown } from "../countdown.tsx";
import { failure } from "../failure.ts";
import { Modal } from "../modal.tsx";
import { TextInput } from "../text-input.tsx";

const Added = z.object({ name: z.string(), token: z.string(), expires: z.number() });
type Added = z.infer<typeof Added>;

export function AddHost({ account, close }: { account: Account; close: () => void }) {
  const added = useSignal<Added | undefined>(undefined);
  return (
    <Modal title="New agent" close={close}>
      {added.value ? (
        <Command added={added.value} />
      ) : (
        <NameForm account={account} done={(answer) => (added.value = answer)} />
      )}
      <div class="buttons">
        <button onClick={close}>{added.value ? "Done" : "Cancel"}</button>
      </div>
    </Modal>
  );
}

function NameForm({ account, done }: { account: Account; done: (added: Added) => void }) {
  const name = useSignal("");
  const refusal = useSignal<string | undefined>(undefined);
  const send = async (event: Event) => {
    event.preventDefault();
    refusal.value = undefined;
    try {
      const body = JSON.stringify({ name: name.value.trim() });
      const answer = await account.call("/api/v1/nodes", { method: "POST", body });
      done(Added.parse(await answer.json()));
    } catch (thrown) {
      refusal.value = failure(thrown).message;
    }
  };
  return (
    <form class="command" onSubmit={send}>
      <TextInput typed={name} label="Name of the host" placeholder="Name, such as gpu-box-1" maxLength={253} required />
      <button class="primary">Add</button>
      {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
    </form>
  );
}

function Command({ added: { name, token, expires } }: { added: Added }) {
  return (
    <>
      <p>
        Run this on {name}. The token in it is good once, and ends <Countdown until={expires} />.
      </p>
      <Copyable text={joinCommand({ server: addressOf("/").href.replace(/\/$/, ""), node: name, token })} />
    </>
  );
}
