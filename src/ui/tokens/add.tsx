/** A new token: for what, where and how long; then the token itself, this once. */

import { type Signal, useSignal } from "@preact/signals";
import { FairleadError } from "../../protocol/errors.ts";
import type { TokenRequest } from "../../protocol/login.ts";
import { parseScope, type Right, type Scope } from "../../protocol/rights.ts";
import { Copyable } from "../copyable.tsx";
import { failure } from "../failure.ts";
import { Modal } from "../modal.tsx";
import { TextInput } from "../text-input.tsx";
import { RightsChoice } from "./rights-choice.tsx";
import type { Tokens } from "./tokens.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How long one can be good, in milliseconds; 0: until it is withdrawn. */
const LIFETIMES: [ms: number, words: string][] = [
  [HOUR, "An hour"],
  [DAY, "A day"],
  [7 * DAY, "A week"],
  [30 * DAY, "30 days"],
  [90 * DAY, "90 days"],
  [365 * DAY, "A year"],
  [0, "Until it is withdrawn"],
];

export interface AddTokenProps {
  tokens: Tokens;
  close: () => void;
}

export function AddToken({ tokens, close }: AddTokenProps) {
  const made = useSignal<{ name: string; token: string } | undefined>(undefined);
  return (
    <Modal title="New token" close={close}>
      {made.value ? (
        <>
          <p>The token of {made.value.name}. It is shown this once: the server keeps only its digest.</p>
          <Copyable text={made.value.token} />
          <div class="buttons">
            <button onClick={close}>Done</button>
          </div>
        </>
      ) : (
        <TokenForm tokens={tokens} close={close} done={(name, token) => (made.value = { name, token })} />
      )}
    </Modal>
  );
}

interface TokenFormProps extends AddTokenProps {
  done: (name: string, token: string) => void;
}

function TokenForm({ tokens, close, done }: TokenFormProps) {
  const name = useSignal("");
  const rights = useSignal<ReadonlySet<Right>>(new Set(["list", "inspect", "logs"]));
  const hosts = useSignal("");
  const scopes = useSignal("");
  const lifetime = useSignal(30 * DAY);
  const refusal = useSignal<string | undefined>(undefined);
  const send = async (event: Event) => {
    event.preventDefault();
    refusal.value = undefined;
    try {
      const wish = wishOf({ name, rights, hosts, scopes, lifetime });
      done(wish.name, await tokens.add(wish));
    } catch (thrown) {
      refusal.value = failure(thrown).message;
    }
  };
  return (
    <form class="fields" onSubmit={send}>
      <label>
        Name <TextInput typed={name} label="Name of the token" placeholder="What it is for, such as ci" required />
      </label>
      <RightsChoice rights={rights} />
      <label>
        Hosts <TextInput typed={hosts} label="Hosts" placeholder="All hosts, or names: box-1, box-2" />
      </label>
      <label>
        Containers{" "}
        <TextInput typed={scopes} label="Containers" placeholder="All containers, or labels: team=web,tier=db" />
      </label>
      <label>
        Good for{" "}
        <select value={lifetime.value} onChange={(event) => (lifetime.value = Number(event.currentTarget.value))}>
          {LIFETIMES.map(([ms, words]) => (
            <option key={ms} value={ms}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
      <div class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button class="primary">Make it</button>
      </div>
    </form>
  );
}

interface Typed {
  name: Signal<string>;
  rights: Signal<ReadonlySet<Right>>;
  hosts: Signal<string>;
  scopes: Signal<string>;
  lifetime: Signal<number>;
}

/** Throws for what is no scope; the rest is for the server to judge. */
function wishOf({ name, rights, hosts, scopes, lifetime }: Typed): TokenRequest {
  const nodes = hosts.value.split(/[\s,]+/).filter((host) => host !== "");
  const wanted = scopes.value.split(/\s+/).filter((scope) => scope !== "");
  return {
    name: name.value.trim(),
    rights: [...rights.value],
    scopes: wanted.map(scopeOf),
    ...(nodes.length > 0 && { nodes }),
    ...(lifetime.value > 0 && { lifetime: lifetime.value }),
  };
}

function scopeOf(text: string): Scope {
  const scope = parseScope(text);
  if (scope) return scope;
  throw new FairleadError(
    "bad-request",
    `"${text}" is no choice of containers. Write labels as NAME=VALUE, a comma between those that must all be there, a blank between one choice and another.`,
  );
}
