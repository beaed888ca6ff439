/** What is typed: on its way to a session, and watched for keys that are meant for this side. */

import type { RemoteSession } from "../client/session.ts";
import { KeySequence } from "../lib/key-sequence.ts";
import { ESCAPE } from "./keys.ts";
import type { LinkStatus } from "./link-status.ts";

/** Bytes typed or pasted that the session has not taken. Beyond, pasting waits; without a connection the rest is dropped. */
const MAX_AHEAD = 65_536;

export interface KeyboardOptions {
  session: RemoteSession;
  status: LinkStatus;
  detachKeys: Uint8Array | undefined;
  /** The detach keys were typed; everything before them has been sent. */
  onDetach: () => void;
  /** Enter ~ . was typed while the connection was away. */
  onEscape: () => void;
}

export class Keyboard {
  readonly #options: KeyboardOptions;
  readonly #detach: KeySequence | undefined;
  readonly #escape = new KeySequence(ESCAPE);
  #last: Promise<void> = Promise.resolve();
  #ahead = 0;

  constructor(options: KeyboardOptions) {
    this.#options = options;
    this.#detach = options.detachKeys && new KeySequence(options.detachKeys);
  }

  /** Resolves when the session has taken everything typed so far. */
  get sent(): Promise<void> {
    return this.#last;
  }

  /** Resolves soon even when the session takes nothing, so that the way out stays open. */
  async type(typed: Uint8Array): Promise<void> {
    const { status, onDetach, onEscape } = this.#options;
    const escaped = this.#escape.feed(typed).hit;
    if (escaped && status.lost) return onEscape();
    const { pass, hit } = this.#detach?.feed(typed) ?? { pass: typed, hit: false };
    if (pass.length > 0 && !(status.lost && this.#ahead > MAX_AHEAD)) this.#enqueue(pass);
    if (hit) await this.#last.then(onDetach);
    if (this.#ahead > MAX_AHEAD && !status.lost) await this.#last;
  }

  #enqueue(bytes: Uint8Array): void {
    const { session } = this.#options;
    const idle = this.#ahead === 0;
    this.#ahead += bytes.length;
    const send = () => session.send({ type: "stdin", bytes });
    this.#last = (idle ? send() : this.#last.then(send)).then(() => {
      this.#ahead -= bytes.length;
    });
    // A session that is over is told about where its output is read.
    this.#last.catch(() => {});
  }
}
