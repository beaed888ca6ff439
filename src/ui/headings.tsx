/** What the columns of a table hold. */

import type { ComponentChildren } from "preact";

export interface HeadingsProps {
  names: readonly string[];
  /** Between those that have names and the buttons. */
  children?: ComponentChildren;
  /** The last column has buttons, and shows no name. */
  buttons?: boolean;
}

export function Headings({ names, children, buttons = false }: HeadingsProps) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
        {children}
        {buttons && (
          <th scope="col">
            <span class="unseen">Actions</span>
          </th>
        )}
      </tr>
    </thead>
  );
}
