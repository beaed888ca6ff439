/** A container's ports; those that may have pages to show are links to them. */

import { fullName, type Placed } from "./containers.ts";
import type { Opener } from "./opener.ts";
import { may, ports } from "./wording.ts";

export function PortList({ container, opener }: { container: Placed; opener: Opener }) {
  const opens = container.state === "running" && may(container, "proxy");
  return ports(container).map(({ words, tcp }, index) => (
    <span key={words}>
      {index > 0 && ", "}
      {opens && tcp !== undefined ? (
        <button
          class="link"
          title="Open in a new tab"
          aria-label={`Open port ${tcp} of ${fullName(container)}`}
          onClick={() => void opener.open(container, tcp)}
        >
          {words}
        </button>
      ) : (
        words
      )}
    </span>
  ));
}
