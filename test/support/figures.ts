/** What `/metrics` tells, and what docs/metrics.md tells of it. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PAGE = fileURLToPath(new URL("../../docs/metrics.md", import.meta.url));
/** Names that Node's client library gives, as that page says. */
const FOREIGN = /^(process|nodejs)_/;

interface Asked {
  fetch(path: string): Promise<Response>;
}

/** Every value by its name and labels, as the text has them; 0 for what is not there. */
export async function figuresOf(program: Asked): Promise<(series: string) => number> {
  const text = await textOf(program);
  const found = new Map(text.split("\n").map((line) => [line.slice(0, line.lastIndexOf(" ")), line]));
  return (series) => Number((found.get(series) ?? "0").split(" ").at(-1));
}

/** The names that a program gives of its own. */
export async function namesOf(program: Asked): Promise<string[]> {
  const types = (await textOf(program)).matchAll(/^# TYPE (\S+) /gm);
  return [...types].map(([, name = ""]) => name).filter((name) => !FOREIGN.test(name));
}

/** The names in these sections of the page. */
export function documented(...sections: string[]): string[] {
  const parts = readFileSync(PAGE, "utf8").split(/^## /m);
  const wanted = parts.filter((part) => sections.includes(part.split("\n", 1)[0] ?? ""));
  return wanted.flatMap((part) => [...part.matchAll(/^\| `(\w+)`/gm)].map(([, name = ""]) => name));
}

async function textOf(program: Asked): Promise<string> {
  const answer = await program.fetch("/metrics");
  if (!answer.ok) throw new Error(`/metrics answers ${answer.status}`);
  return answer.text();
}
