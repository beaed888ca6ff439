/** Where a container is, as it is typed: `NODE:container` behind a server, the bare name on an agent itself. */

import { apiOf } from "../protocol/version.ts";
import { UsageError } from "./failure.ts";

export interface Place {
  node?: string;
  container: string;
}

/** Neither a node's name nor a container's has a colon in it. */
export function placeOf(text: string): Place {
  const at = text.indexOf(":");
  if (at < 0) return { container: text };
  const place = { node: text.slice(0, at), container: text.slice(at + 1) };
  if (place.node === "" || place.container === "")
    throw new UsageError(`"${text}" names no container. Write it as NODE:container.`);
  return place;
}

/** For the client: only a server has to be told. */
export function nodeOf({ node }: Pick<Place, "node">): { node?: string } {
  return node === undefined ? {} : { node };
}

/** What a container there is called, as it would be typed: containers of two hosts may have one name. */
export function typedName(node: string | undefined, name: string): string {
  return node === undefined ? name : `${node}:${name}`;
}

/** The container's own address over HTTP. */
export function addressOf(text: string): string {
  const { node, container } = placeOf(text);
  return `${apiOf(node)}/containers/${encodeURIComponent(container)}`;
}
