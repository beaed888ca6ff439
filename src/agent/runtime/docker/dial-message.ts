/** What is said between the agent and its helper inside a container's network. */

export interface DialRequest {
  id: number;
  /** Tried in this order. */
  hosts: string[];
  port: number;
  /** Milliseconds for each. */
  timeout: number;
}

/** Comes with the connected socket, or with the error code of the attempt that says most. */
export interface DialAnswer {
  id: number;
  code?: string;
}
