/** The form for the one-time code. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Account } from "./account.ts";
import { failure } from "./failure.ts";

export interface SignInProps {
  account: Account;
  /** Fills the form in; sending it stays the user's decision. */
  code: string;
  note: string | undefined;
}

export function SignIn({ account, code, note }: SignInProps) {
  const typed = useSignal(code);
  const busy = useSignal(false);
  const refusal = useSignal<string | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>(code === "" ? "input" : "button")?.focus(), [code]);

  const send = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    refusal.value = undefined;
    try {
      await account.signIn(typed.value);
    } catch (thrown) {
      refusal.value = failure(thrown).message;
    } finally {
      busy.value = false;
    }
  };

  return (
    <main class="sign-in">
      <form onSubmit={send} ref={form}>
        <h1>Fairlead</h1>
        {note !== undefined && <p role="status">{note}</p>}
        <label>
          One-time code
          <input
            name="code"
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
            autocomplete="one-time-code"
            autocapitalize="off"
            spellcheck={false}
            required
          />
        </label>
        <button class="primary" disabled={busy.value}>
          {busy.value ? "Signing in …" : "Sign in"}
        </button>
        {refusal.value !== undefined && (
          <p class="refusal" role="alert">
            {refusal.value}
          </p>
        )}
        <p class="hint">
          A code was printed where this was started; it works once. <code>ctl sign-in</code> there prints another.
        </p>
      </form>
    </main>
  );
}
