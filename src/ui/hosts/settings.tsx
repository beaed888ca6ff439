/** A host's settings: what each means, what it is now, and whether it is the host's own or the server's. */

import { type Signal, signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { formatDuration, parseDuration } from "../../lib/duration.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { NodeSettingsChange, NodeView } from "../../protocol/node.ts";
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
}

const SETTINGS: Setting[] = [
  {
    key: "heartbeatInterval",
    label: "Reports every",
    meaning: "How often it tells how it is. After three reports that fail to come it is NotReady. 1s to 24h.",
  },
  { key: "pollInterval", label: "Asks for work every", meaning: "How often it asks what it should run. 1s to 24h." },
  {
    key: "keyInterval",
    label: "New key every",
    meaning: "How often it makes itself a new key; the old one is good until the new one is used. 1m to 8784h.",
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
  node: NodeView;
  close: () => void;
}

interface Field extends Setting {
  /** As text; empty: the server's. */
  own: string;
  typed: Signal<string>;
}

export function Settings({ account, node, close }: SettingsProps) {
  // As it was when this was opened: reports of the host change nothing that is being typed.
  const fields = useMemo(() => SETTINGS.map((setting) => fieldOf(setting, node)), []);
  const refusal = useSignal<string | undefined>(undefined);
  const send = async (event: Event) => {
    event.preventDefault();
    refusal.value = undefined;
    try {
      const body = JSON.stringify(changeOf(fields));
      await account.call(`${apiOf(node.name)}/settings`, { method: "PATCH", body });
      close();
    } catch (thrown) {
      refusal.value = failure(thrown).message;
    }
  };
  return (
    <Modal title={`Settings of ${node.name}`} close={close}>
      <form class="fields" onSubmit={send}>
        <p>What is empty is as the server has it. A change holds from the host's next report on.</p>
        {fields.map((field) => (
          <FieldView key={field.key} field={field} now={words(node.settings[field.key])} />
        ))}
        {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button class="primary">Save</button>
        </div>
      </form>
    </Modal>
  );
}

function FieldView({ field: { key, label, meaning, typed }, now }: { field: Field; now: string }) {
  return (
    <div class="setting">
      <span>{label}</span>
      {key === "containerMetrics" || key === "gpuMetrics" ? (
        <select aria-label={label} value={typed.value} onChange={(event) => (typed.value = event.currentTarget.value)}>
          <option value="">As the server has it</option>
          <option>on</option>
          <option>off</option>
        </select>
      ) : (
        <TextInput typed={typed} label={label} placeholder="As the server has it" maxLength={32} />
      )}
      <span class="quiet">now {now}</span>
      <p>{meaning}</p>
    </div>
  );
}

function fieldOf(setting: Setting, { settings, ownSettings = [] }: NodeView): Field {
  const own = ownSettings.includes(setting.key) ? words(settings[setting.key]) : "";
  return { ...setting, own, typed: signal(own) };
}

function words(value: number | boolean): string {
  if (typeof value === "number") return formatDuration(value);
  return value ? "on" : "off";
}

/** Only what was changed. Throws for what is no duration. */
function changeOf(fields: readonly Field[]): NodeSettingsChange {
  const changed = fields.filter(({ typed, own }) => typed.value.trim() !== own);
  return Object.fromEntries(changed.map((field) => [field.key, valueOf(field)]));
}

function valueOf({ label, typed }: Field): number | boolean | null {
  const text = typed.value.trim();
  if (text === "") return null;
  if (text === "on" || text === "off") return text === "on";
  try {
    return Math.round(parseDuration(text));
  } catch {
    throw new FairleadError("bad-request", `${label}: "${text}" is no duration. Write one such as 30s, 5m or 24h.`);
  }
}
