/** Somebody's program waits to be let in: who, from where, with which code; and a yes or a no. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { age } from "../lib/age.ts";
import { APPROVE_PATH, ASKED_PATH, AskedReply, REFUSE_PATH } from "../protocol/login.ts";
import type { Account } from "./account.ts";
import { failure } from "./failure.ts";
import { Modal } from "./modal.tsx";
import { TextInput } from "./text-input.tsx";

export interface ApprovalProps {
  account: Account;
  /** Empty: it is to be typed. */
  code: string;
  close: () => void;
}

/** Nothing is decided by opening it: a link may come from anybody. */
export function Approval({ account, code, close }: ApprovalProps) {
  const asked = useSignal<AskedReply | undefined>(undefined);
  const said = useSignal<string | undefined>(undefined);
  const tell = async (path: string, typed: string) => {
    said.value = undefined;
    try {
      return await account.call(path, { method: "POST", body: JSON.stringify({ code: typed }) });
    } catch (thrown) {
      said.value = failure(thrown).message;
      return undefined;
    }
  };
  const find = async (typed: string) => {
    const answer = await tell(ASKED_PATH, typed);
    if (answer) asked.value = AskedReply.parse(await answer.json());
  };
  const decide = async (path: string, { name, code: shown }: AskedReply) => {
    const answer = await tell(path, shown);
    if (answer) said.value = path === APPROVE_PATH ? `${name} is let in.` : `${name} is not let in.`;
    if (answer) asked.value = undefined;
  };
  useEffect(() => {
    if (code !== "") void find(code);
  }, [code]);

  const waiting = asked.value;
  return (
    <Modal title="Approve a login" close={close}>
      {waiting && <Question waiting={waiting} />}
      {!waiting && code === "" && said.value === undefined && <CodeForm find={find} />}
      {said.value !== undefined && <p role="status">{said.value}</p>}
      <div class="buttons">
        {waiting && (
          <>
            <button class="danger" onClick={() => void decide(REFUSE_PATH, waiting)}>
              Refuse
            </button>
            <button class="primary" onClick={() => void decide(APPROVE_PATH, waiting)}>
              Let in
            </button>
          </>
        )}
        <button onClick={close}>{waiting ? "Later" : "Close"}</button>
      </div>
    </Modal>
  );
}

function Question({ waiting: { name, code, address, asked } }: { waiting: AskedReply }) {
  return (
    <>
      <p>
        <strong>{name}</strong> asked at <strong>{address}</strong>, {age(Date.now() - asked)} ago, and would be able to
        do everything that you may. Say yes only if you expect this, and the terminal there shows the same code:
      </p>
      <p class="code">{code}</p>
    </>
  );
}

function CodeForm({ find }: { find: (code: string) => Promise<void> }) {
  const typed = useSignal("");
  const send = (event: Event) => {
    event.preventDefault();
    void find(typed.value);
  };
  return (
    <form class="command" onSubmit={send}>
      <TextInput
        typed={typed}
        label="Code of the login"
        placeholder="The code that the terminal shows"
        autocapitalize="characters"
        maxLength={64}
        required
      />
      <button class="primary">Look</button>
    </form>
  );
}
