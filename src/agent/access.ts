/** Who may come in from the start: the owner of this machine by the agent's own token, and whom the configuration names. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Credentials } from "../auth/credentials.ts";
import type { TokenGrant } from "../auth/tokens.ts";
import type { StateDirectory } from "../boot/state.ts";
import type { Grant } from "../protocol/rights.ts";
import type { AgentConfig } from "./config.ts";

/** The owner of the machine, who can read the agent's token file. */
const LOCAL: Grant = { subject: "local", rights: ["admin"], scopes: [] };
const TOKEN_FILE = "token";
const TOKEN_BYTES = 32;

/** Where the agent's own token is. */
export function tokenFile({ data_dir: directory }: AgentConfig): string {
  return join(directory, TOKEN_FILE);
}

/** Made once; whoever can read it is the owner of the agent. */
export async function localToken(state: StateDirectory): Promise<string> {
  await state.create(TOKEN_FILE, `${randomBytes(TOKEN_BYTES).toString("base64url")}\n`);
  return ((await state.read(TOKEN_FILE)) ?? "").trim();
}

export function openCredentials({ grants }: AgentConfig, token: string): Credentials {
  return new Credentials({ tokens: [{ grant: LOCAL, token }, ...grantsOf(grants)] });
}

export function grantsOf(grants: AgentConfig["grants"]): TokenGrant[] {
  return grants.map(({ name, token_sha256: sha256, rights, scopes }) => ({
    grant: { subject: `token:${name}`, rights, scopes },
    sha256,
  }));
}
