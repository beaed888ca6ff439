/** How somebody on another machine gets in: the address and the pin to give to `ctl` there. */

import { hostname } from "node:os";
import type { AgentConfig } from "./config.ts";
import { isLoopback } from "../door/address.ts";

export interface Elsewhere {
  server: string;
  pin: string;
}

/** `url` is the one for this machine. Undefined where nobody else comes in, or only through a proxy with its own certificate. */
export function elsewhere(config: AgentConfig, url: string, pin: string | undefined): Elsewhere | undefined {
  const { listen_address: address, public_urls: publicUrls } = config;
  const [published] = publicUrls;
  if (pin === undefined || address === "localhost" || isLoopback(address)) return undefined;
  if (published !== undefined) return { server: new URL(published).origin, pin };
  const own = new URL(url);
  if (address === "0.0.0.0" || address === "::") own.hostname = hostname();
  return { server: own.origin, pin };
}
