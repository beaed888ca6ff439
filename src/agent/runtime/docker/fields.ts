/** Fields of the engine's answers, which are input like any other: one that is not what it should be has a value that does no harm. */

/** The engine's numbers have 64 bits; more than this could become infinite. */
const MAX_NUMBER = 2 ** 64;

/** Else empty. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Else 0. */
export function numberOf(value: unknown): number {
  return typeof value === "number" && Math.abs(value) <= MAX_NUMBER ? value : 0;
}

/** Else empty. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Else empty. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
