/** One log record as a line for a person at a terminal; files and pipes get the JSON it is made from. */

const LABELS = new Map([
  ["debug", "DEBUG"],
  ["info", "INFO "],
  ["warn", "WARN "],
  ["error", "ERROR"],
  ["fatal", "FATAL"],
]);

/** `14:03:07.123 WARN  what happened  key=value other="two words"`. Never throws; a line that is no record stays as it is. */
export function logText(json: string): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return printable(json.trimEnd()) + "\n";
  }
  const { time, level, msg = "", err, ...fields } = record;
  const values = Object.entries(fields).map(([key, value]) => `${key}=${word(value)}`);
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const words = [clock, LABELS.get(String(level)) ?? "?", printable(String(msg)), ...values, ...trouble(err, level)];
  return `${words.join(" ")}\n`;
}

/** The stack is of use to whoever reports the end of the program; otherwise the words are. */
function trouble(err: unknown, level: unknown): string[] {
  if (typeof err !== "object" || err === null) return [];
  const { message, stack } = err as { message?: unknown; stack?: unknown };
  if (level !== "fatal" || typeof stack !== "string") return [`err=${word(message)}`];
  return stack.split("\n").map((line, index) => (index === 0 ? "" : "\n") + printable(line));
}

function word(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return printable(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text));
}

/** Names of containers and words of an engine are not ours: none of their bytes may steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
