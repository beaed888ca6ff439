/** The only place that decides who may do what. */

import { type Grant, matches, type Right } from "../protocol/rights.ts";

/**
 * Somebody who proved who he is. `revoked` aborts when that stops being true, with a FairleadError as its reason;
 * everything he opened ends with it.
 */
export interface Subject {
  readonly grant: Grant;
  readonly revoked: AbortSignal;
}

/** Power over the host reaches every container on it, so a grant that is limited to some of them never has these. */
const HOST_WIDE: ReadonlySet<Right> = new Set<Right>(["host-shell", "admin"]);
/** Figures about the agent: they name no container, so scopes do not matter. */
const ABOUT_THE_AGENT: ReadonlySet<Right> = new Set<Right>(["metrics"]);

/**
 * Whether the grant has the right over anything at all: what a door asks before it knows the container.
 * `admin` includes every right. The rights over the host itself, `host-shell` and `admin`, are held only by a
 * grant without scopes: a scoped `admin` may do everything to its containers and nothing to the host.
 */
export function holds(grant: Grant, right: Right): boolean {
  if (!grant.rights.includes(right) && !grant.rights.includes("admin")) return false;
  // Whoever may do everything on some hosts may still not add or remove any.
  if (right === "admin" && grant.nodes !== undefined) return false;
  return !HOST_WIDE.has(right) || grant.scopes.length === 0;
}

/** Whether the grant says anything about this host of a fleet. */
export function reaches({ nodes }: Grant, node: string): boolean {
  return nodes === undefined || nodes.includes(node);
}

/**
 * Whether the grant has the right over a container with these labels. Any one scope must match, and a scope matches
 * when all its labels do; an empty value asks only that the label exists. No scopes reach every container.
 */
export function allows(grant: Grant, right: Right, labels: Readonly<Record<string, string>>): boolean {
  if (!holds(grant, right)) return false;
  if (ABOUT_THE_AGENT.has(right) || grant.scopes.length === 0) return true;
  return grant.scopes.some((scope) => matches(scope, labels));
}
