/** Under which names those are known here whom the server lets in: none of them can be taken for somebody of this agent's own. */

const PREFIX = "server:";

export function nameHere(name: string): string {
  return PREFIX + name;
}

/** As the server knows him; undefined for somebody of this agent's own. */
export function nameThere(subject: string): string | undefined {
  return subject.startsWith(PREFIX) ? subject.slice(PREFIX.length) : undefined;
}
