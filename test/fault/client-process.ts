/** A client in a process of its own, which a test kills: opens the exec it was told to, says where it can be resumed, and reads nothing. */

import type { SessionOptions } from "../../src/client/client.ts";
import type { ExecBody } from "../../src/protocol/open.ts";
import { connectTo } from "./stage.ts";

/** What it is told, as JSON in its one argument. */
export interface Order {
  url: string;
  token: string;
  container: string;
  body: ExecBody;
  options: SessionOptions;
}

/** What it says, as JSON in one line. */
export interface Opened {
  session: string;
  secret: string;
}

const { url, token, container, body, options } = JSON.parse(process.argv[2] ?? "") as Order;
const session = await connectTo({ url, token }).exec(container, body, options);
const opened: Opened = { session: session.id, secret: session.secret };
console.log(JSON.stringify(opened));
