/** A button with a list of choices: arrow keys move in it; Escape, a choice and a press elsewhere close it. */

import { useSignal } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";

export interface Choice {
  words: string;
  choose: () => void;
  /** Why it cannot be chosen now. */
  unless?: string | undefined;
  danger?: boolean;
}

export interface MenuProps {
  label: string;
  /** Asked for while the menu is open. */
  choices: () => Choice[];
}

/** By hand. */
const SCROLLING = ["wheel", "touchmove"];
const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

export function Menu({ label, choices }: MenuProps) {
  const id = useId();
  const open = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const close = () => list.current?.hidePopover();

  // Who scrolls takes the button away from it. That rows come and go, which may scroll them too, closes nothing.
  useEffect(() => {
    if (!open.value) return undefined;
    const leave = ({ target }: Event) => !list.current?.contains(target as Node) && close();
    for (const type of SCROLLING) addEventListener(type, leave, { passive: true });
    return () => SCROLLING.forEach((type) => removeEventListener(type, leave));
  }, [open.value]);
  // The choice that had the focus may be gone, because its container has another state now.
  useLayoutEffect(() => {
    if (list.current?.matches(":popover-open")) focusOne(list.current);
  });

  // Not before it is hidden: without its choice the focus would not find back to the button.
  const toggled = ({ newState }: { newState: string }) => {
    open.value = newState === "open";
    if (!open.peek() || !list.current || !button.current) return;
    place(list.current, button.current);
    focusOne(list.current);
  };
  const press = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (event.key === "Tab") close();
    if (step === undefined || !list.current) return;
    event.preventDefault();
    const all = items(list.current);
    const at = all.findIndex((item) => item === document.activeElement);
    all[(at + step + all.length) % all.length]?.focus();
  };
  return (
    <>
      <button ref={button} class="more" popovertarget={id} aria-haspopup="menu" aria-label={label} title={label}>
        ⋯
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        role="menu"
        aria-label={label}
        popover="auto"
        onBeforeToggle={({ newState }) => (open.value ||= newState === "open")}
        onToggle={toggled}
        onKeyDown={press}
      >
        {open.value && choices().map((choice) => <Item key={choice.words} choice={choice} close={close} />)}
      </div>
    </>
  );
}

function Item({ choice, close }: { choice: Choice; close: () => void }) {
  const { words, unless, danger, choose } = choice;
  const pick = () => {
    close();
    choose();
  };
  return (
    <button
      role="menuitem"
      tabIndex={-1}
      class={danger ? "danger" : ""}
      disabled={unless !== undefined}
      title={unless}
      onClick={pick}
    >
      {words}
    </button>
  );
}

/** Unless one of them has the focus. */
function focusOne(list: HTMLElement): void {
  const all = items(list);
  if (!all.some((item) => item === document.activeElement)) all[0]?.focus();
}

function items(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>("button:enabled")];
}

/** Below the button, or above it where there is no room. */
function place(list: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const top = at.bottom + height > innerHeight ? Math.max(0, at.top - height) : at.bottom;
  list.style.top = `${top}px`;
  list.style.left = `${Math.max(0, Math.min(at.right, innerWidth) - width)}px`;
}
