/** Where a list comes from that goes on: one answer after the other, each line by line. */

export interface Source<T> {
  path: string;
  /** For one answer: what each of its lines makes of the lines before it, and of what was shown before. Throws for a line that is none. */
  reader: (before: T | undefined) => (line: unknown) => T;
}
