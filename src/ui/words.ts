/** What is typed into a filter. */

/** Every word of the filter must occur somewhere in these texts, whatever the case. */
export function mentions(texts: readonly string[], filter: string): boolean {
  const haystack = texts.join("\n").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}
