/** What is said between the agent and its helper inside a container's network. There is no host in it: the helper dials its own network only. */

export interface DialRequest {
  id: number;
  port: number;
  /** Milliseconds for the whole dial, all addresses together. */
  timeout: number;
}

/** Comes with the connected socket, or with the error code of the attempt that says most. */
export interface DialAnswer {
  id: number;
  code?: string;
}
