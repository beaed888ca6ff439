/** Asks before something that cannot be taken back. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface ConfirmProps {
  question: string;
  detail: string;
  yes: string;
  no?: string;
  /** Something has to be chosen before yes can be said. */
  blocked?: boolean;
  /** What can be chosen. */
  children?: ComponentChildren;
  onYes: () => void;
  onNo: () => void;
}

/** Escape and the first button mean no; the dialog takes the focus and gives it back. */
export function Confirm({ question, detail, yes, no = "Keep it", blocked, children, onYes, onNo }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing gives the focus back at once; a dialog that is only taken out of the page does not,
    // and until it is out, nothing behind it can have the focus.
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      onCancel={(event) => {
        event.preventDefault();
        onNo();
      }}
    >
      <h2 id="question">{question}</h2>
      <p>{detail}</p>
      {children}
      <div class="buttons">
        <button onClick={onNo}>{no}</button>
        <button class="danger" disabled={blocked} onClick={onYes}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
