/** What this folder needs of a logger; pino's fits. */

export interface Log {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
