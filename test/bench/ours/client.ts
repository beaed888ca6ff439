/** A connection of the client library, dialled as `ctl` dials, for what `ctl` has no command for. */

import { Client } from "../../../src/client/client.ts";
import { dialler } from "../../../src/ctl/connection/dial.ts";
import { Secret } from "../../../src/lib/secret.ts";

/** To the agent that the environment names. */
export function connectClient(environment: NodeJS.ProcessEnv): Client {
  const { FAIRLEAD_SERVER: url = "", FAIRLEAD_TOKEN: token = "" } = environment;
  const from = "the bench";
  const server = { url: new URL(url), token: new Secret(token), urlFrom: from, tokenFrom: from };
  return new Client({ software: "fairlead-bench", dial: dialler(server) });
}
