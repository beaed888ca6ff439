/** From a reference, as a person writes it, to one container of a list. */

import { allows } from "../../auth/grant.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Grant, Right } from "../../protocol/rights.ts";
import type { Container } from "../runtime/runtime.ts";

/** Who asks, and for what. */
export interface Access {
  grant: Grant;
  right: Right;
}

/** Names suggested for one that is unknown. */
const SUGGESTIONS = 5;
const SHORT_ID = /^[a-f0-9]{4,64}$/;

/**
 * The container that a reference names: id, name, `project/service/N`, `project/service`, the start of an id.
 * One that may not be used answers exactly like one that does not exist. Throws `not-found` or `ambiguous`.
 */
export function resolveReference(all: readonly Container[], ref: string, { grant, right }: Access): Container {
  const allowed = all.filter(({ labels }) => allows(grant, right, labels));
  for (const matches of MATCHERS) {
    const found = allowed.filter((it) => matches(it, ref));
    if (found.length > 1) throw new FairleadError("ambiguous", `"${ref}" could be ${names(found)}`);
    if (found[0]) return found[0];
  }
  const near = allowed.filter((it) => isNear(it, ref));
  const hint = near.length > 0 ? ` Did you mean ${names(near)}?` : "";
  throw new FairleadError(
    "not-found",
    `No container "${ref}" here, or not one that you may use for this (${right}).${hint}`,
  );
}

/** What Compose wrote on a container, if it made it. */
export function composeOf(labels: Record<string, string>): { project?: string; service?: string; number?: number } {
  const project = labels["com.docker.compose.project"];
  const service = labels["com.docker.compose.service"];
  const number = Number(labels["com.docker.compose.container-number"]);
  return { ...(project && { project }), ...(service && { service }), ...(number > 0 && { number }) };
}

/** In this order: an exact name is never shadowed by the start of another's id. */
const MATCHERS: ((container: Container, ref: string) => boolean)[] = [
  ({ id }, ref) => id === ref,
  ({ name }, ref) => name === ref,
  ({ labels }, ref) => {
    const { project, service, number } = composeOf(labels);
    return ref === `${project}/${service}` || ref === `${project}/${service}/${number ?? 1}`;
  },
  ({ id }, ref) => SHORT_ID.test(ref) && id.startsWith(ref),
];

function names(containers: Container[]): string {
  const some = containers.slice(0, SUGGESTIONS).map(({ id, name }) => `${name} (${id.slice(0, 12)})`);
  const more = containers.length - some.length;
  return more > 0 ? `${some.join(", ")} and ${more} more` : some.join(", ");
}

/** One contains the other, or they differ by one letter: enough for a slip of the finger. */
function isNear({ name, labels }: Container, ref: string): boolean {
  const wanted = ref.toLowerCase();
  const known = [name, composeOf(labels).service ?? ""].filter((it) => it !== "").map((it) => it.toLowerCase());
  return known.some(
    (it) => (wanted.length > 1 && it.includes(wanted)) || wanted.includes(it) || oneLetterOff(it, wanted),
  );
}

function oneLetterOff(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i += 1;
  const rest = (text: string, skip: number) => text.slice(i + skip);
  const swapped = a[i] === b[i + 1] && a[i + 1] === b[i] && rest(a, 2) === rest(b, 2);
  return rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1) || swapped;
}
