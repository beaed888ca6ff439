/** Where a list comes from that goes on. */

export interface Source<T> {
  path: string;
  /** What a line makes of what was shown before. Throws for a line that is none. */
  read: (line: unknown, before: T | undefined) => T;
}
