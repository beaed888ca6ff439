/** A host's settings: what each means, what it is now, and whether it is the host's own or the server's. */

import { type Signal, signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { formatDuration, parseDuration } from "../../lib/duration.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { type NodeSettingsChange, NodeView } from "../../protocol/node.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Account } from "../account.ts";
import { failure } from "../failure.ts";
import { Modal } from "../modal.tsx";
import { TextInput } from "../text-input.tsx";

type Key = keyof NodeSettingsChange;

interface Setting {
  key: Key;
  label: string;
  meaning: string;
  /** Of a duration, in milliseconds; without it the setting is on or off. */
  range?: readonly [min: number, max: number];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const SETTINGS: Setting[] = [
  {
    key: "heartbeatInterval",
    label: "Reports every",
    meaning: "How often it tells how it is. After three reports that fail to come it is NotReady.",
    range: [SECOND, DAY],
  },
  {
    key: "pollInterval",
    label: "Asks for work every",
    meaning: "How often it asks what to run; no agent does that yet.",
    range: [SECOND, DAY],
  },
  {
    key: "keyInterval",
    label: "New key every",
    meaning: "How often it makes itself a new key; the old one is good until the new one is used.",
    range: [MINUTE, 366 * DAY],
  },
  {
    key: "containerMetrics",
    label: "Figures of containers",
    meaning: "Whether its reports say what each container uses, as the list of containers shows it.",
  },
  { key: "gpuMetrics", label: "Figures of GPUs", meaning: "Whether its reports say what NVIDIA's GPUs do." },
];

export interface SettingsProps {
  account: Account;
  /** The host's name. */
  name: string;
  close: () => void;
}

interface Field extends Setting {
  /** As text; empty: the server's. */
  own: string;
  typed: Signal<string>;
  now: string;
}

export function Settings({ account, name, close }: SettingsProps) {
  const fields = useSignal<Field[] | undefined>(undefined);
  const refusal = useSignal<string | undefined>(undefined);
  const attempt = async (work: () => Promise<void>) => {
    refusal.value = undefined;
    await work().catch((thrown: unknown) => (refusal.value = failure(thrown).message));
  };
  const load = async () => {
    const node = NodeView.parse(await (await account.call(apiOf(name))).json());
    fields.value = SETTINGS.map((setting) => fieldOf(setting, node));
  };
  const save = async () => {
    const body = JSON.stringify(changeOf(fields.peek() ?? []));
    await account.call(`${apiOf(name)}/settings`, { method: "PATCH", body });
    close();
  };
  useEffect(() => void attempt(load), [name]);
  const send = (event: Event) => {
    event.preventDefault();
    void attempt(save);
  };
  return (
    <Modal title={`Settings of ${name}`} close={close}>
      <form class="fields" onSubmit={send}>
        <p>What is empty is as the server has it. A change holds from the host's next report on.</p>
        {fields.value?.map((field) => (
          <FieldView key={field.key} field={field} />
        ))}
        {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button class="primary" disabled={!fields.value}>
            Save
          </button>
        </div>
      </form>
    </Modal>
  );
}

function FieldView({ field: { key, label, meaning, range, typed, now } }: { field: Field }) {
  const id = `meaning-${key}`;
  return (
    <div class="setting">
      <label>
        <span>{label}</span>
        {range ? (
          <TextInput
            typed={typed}
            label={label}
            placeholder="As the server has it"
            maxLength={32}
            aria-describedby={id}
          />
        ) : (
          <Switch typed={typed} label={label} aria-describedby={id} />
        )}
        <span class="quiet">now {now}</span>
      </label>
      <p id={id}>{meaning}</p>
    </div>
  );
}

interface SwitchProps {
  typed: Signal<string>;
  label: string;
  "aria-describedby": string;
}

function Switch({ typed, label, ...rest }: SwitchProps) {
  return (
    <select
      aria-label={label}
      value={typed.value}
      onChange={(event) => (typed.value = event.currentTarget.value)}
      {...rest}
    >
      <option value="">As the server has it</option>
      <option>on</option>
      <option>off</option>
    </select>
  );
}

function fieldOf(setting: Setting, { settings, ownSettings = [] }: NodeView): Field {
  const now = words(settings[setting.key]);
  const own = ownSettings.includes(setting.key) ? now : "";
  return { ...setting, own, typed: signal(own), now };
}

function words(value: number | boolean): string {
  if (typeof value === "number") return formatDuration(value);
  return value ? "on" : "off";
}

/** Only what was changed. Throws for what is no duration, or none that can be. */
function changeOf(fields: readonly Field[]): NodeSettingsChange {
  const changed = fields.filter(({ typed, own }) => typed.value.trim() !== own);
  return Object.fromEntries(changed.map((field) => [field.key, valueOf(field)]));
}

function valueOf({ label, range, typed }: Field): number | boolean | null {
  const text = typed.value.trim();
  if (text === "") return null;
  if (!range) return text === "on";
  const [min, max] = range;
  const ms = millisecondsOf(text);
  if (ms !== undefined && ms >= min && ms <= max) return ms;
  const between = `from ${formatDuration(min)} to ${formatDuration(max)}`;
  throw new FairleadError("bad-request", `${label}: "${text}" is no duration ${between}. Write one such as 90s or 5m.`);
}

function millisecondsOf(text: string): number | undefined {
  try {
    return Math.round(parseDuration(text));
  } catch {
    return undefined;
  }
}
