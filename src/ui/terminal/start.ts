/** What a terminal on the page is opened for, and how the agent is asked for it. */

import type { Client } from "../../client/client.ts";
import type { RemoteSession } from "../../client/session.ts";

/** Milliseconds that a session survives a lost connection, so that a closed lid or a tunnel in between costs nothing. */
const GRACE = 60_000;
const KEPT = { onDrop: "keep", grace: GRACE } as const;
/** What xterm.js is. */
const TERM = "xterm-256color";

export interface ShellRequest {
  command: string[];
  /** Empty: the container's own. */
  user: string;
}

export interface Size {
  cols: number;
  rows: number;
}

export interface Start {
  /** What runs goes on when it is let go of, also with Ctrl-P Ctrl-Q as elsewhere. */
  goesOn?: true;
  /** Who only looks changes nothing, the size included. */
  onlyLooks?: boolean;
  open(client: Client, request: ShellRequest, size: Size): Promise<RemoteSession>;
}

export function commandIn(container: string): Start {
  return {
    open: (client, { command, user }, size) => {
      const body = { command, tty: true, stdin: true, env: [`TERM=${TERM}`], size };
      return client.exec(container, user === "" ? body : { ...body, user }, KEPT);
    },
  };
}

export function mainProcessOf(container: string, { onlyLooks }: { onlyLooks: boolean }): Start {
  const body = { stdin: !onlyLooks, stdout: true, stderr: true };
  return {
    goesOn: true,
    onlyLooks,
    open: (client, _request, size) => client.attach(container, onlyLooks ? body : { ...body, size }, KEPT),
  };
}

/** The user's own, as at a login. */
export const LOGIN_SHELL: Start = {
  open: (client, { command }, size) => client.shell({ command, tty: true, stdin: true, term: TERM, size }, KEPT),
};
