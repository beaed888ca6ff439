/** JSON Merge Patch (RFC 7396): what makes one JSON document out of another. */

type Members = Record<string, unknown>;

/** What `patched` makes `after` of `before` with; `undefined`: nothing is different. Neither may have a member that is null. */
export function patchOf(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after))
    return JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
  const gone = Object.keys(before).filter((name) => member(after, name) === undefined);
  const changed = Object.entries(after).flatMap(([name, value]): [string, unknown][] => {
    const patch = value === undefined ? undefined : patchOf(member(before, name), value);
    return patch === undefined ? [] : [[name, patch]];
  });
  const patch = [...gone.map((name) => [name, null] as const), ...changed];
  return patch.length === 0 ? undefined : Object.fromEntries(patch);
}

/** Changes neither of them; a member that the patch does not name is the very same afterwards. */
export function patched(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, patched(members.get(name), value));
  }
  return Object.fromEntries(members);
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names may be anything, also those that every object has. */
function member(object: Members, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
