/** JSON as it goes over a channel: UTF-8, nothing around it. */

const utf8 = new TextEncoder();

export function json(value: unknown): Uint8Array {
  return utf8.encode(JSON.stringify(value));
}
