/** What an administrator does to a host, each after a yes. */

import { useSignal } from "@preact/signals";
import type { NodeView } from "../../protocol/node.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Account } from "../account.ts";
import { Confirm } from "../confirm.tsx";
import { failure } from "../failure.ts";
import { Settings } from "./settings.tsx";

interface Action {
  words: string;
  question: string;
  detail: string;
  method: "POST" | "DELETE";
  /** Below the host's own address. */
  path: string;
}

export function Actions({ account, node }: { account: Account; node: NodeView }) {
  const asking = useSignal<Action | undefined>(undefined);
  const setting = useSignal(false);
  const refusal = useSignal<string | undefined>(undefined);
  const act = async ({ method, path }: Action) => {
    asking.value = undefined;
    refusal.value = undefined;
    try {
      await account.call(`${apiOf(node.name)}${path}`, { method });
    } catch (thrown) {
      refusal.value = failure(thrown).message;
    }
  };
  const { value: asked } = asking;
  return (
    <>
      <button aria-label={`Settings of ${node.name}`} onClick={() => (setting.value = true)}>
        Settings
      </button>
      {actions(node).map((action) => (
        <button
          key={action.words}
          class={action.method === "DELETE" ? "danger" : ""}
          aria-label={`${action.words} ${node.name}`}
          onClick={() => (asking.value = action)}
        >
          {action.words}
        </button>
      ))}
      {setting.value && <Settings account={account} name={node.name} close={() => (setting.value = false)} />}
      {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
      {asked && (
        <Confirm
          question={asked.question}
          detail={asked.detail}
          yes={asked.words}
          no="Cancel"
          onYes={() => void act(asked)}
          onNo={() => (asking.value = undefined)}
        />
      )}
    </>
  );
}

function actions({ name, status, settings }: NodeView): Action[] {
  const turn: Action = settings.enabled
    ? {
        words: "Disable",
        question: `Disable ${name}?`,
        detail: "It takes no new work; what runs on it goes on, but open pages of containers end.",
        method: "POST",
        path: "/disable",
      }
    : { words: "Enable", question: `Enable ${name}?`, detail: "It takes work again.", method: "POST", path: "/enable" };
  const rotate: Action = {
    words: "New key",
    question: `Ask ${name} for a new key?`,
    detail: "Its agent makes itself one with its next report. What is open goes on.",
    method: "POST",
    path: "/rotate",
  };
  const remove: Action = {
    words: "Remove",
    question: `Remove ${name}?`,
    detail: "Its key is good for nothing any more, and what is open on it through this server is ended.",
    method: "DELETE",
    path: "",
  };
  return status === "Pending" ? [turn, remove] : [turn, rotate, remove];
}
