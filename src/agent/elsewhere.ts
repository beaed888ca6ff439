/** How somebody on another machine gets in: the address and the pin to give to `ctl` there. */

import { hostname } from "node:os";
import type { AgentConfig } from "./config.ts";
import { isLoopback } from "../door/address.ts";
import { ownContainer } from "./runtime/docker/own-image.ts";

export interface Elsewhere {
  server: string;
  pin: string;
  /** The address is a guess: in a container the agent cannot know that of its host, and accepts it only once it is told. */
  unknown: boolean;
}

/** `url` is the one for this machine. Undefined where nobody else comes in, or only through a proxy with its own certificate. */
export function elsewhere(config: AgentConfig, url: string, pin: string | undefined): Elsewhere | undefined {
  const { listen_address: address, public_urls: publicUrls } = config;
  const [published] = publicUrls;
  if (pin === undefined || address === "localhost" || isLoopback(address)) return undefined;
  if (published !== undefined) return { server: new URL(published).origin, pin, unknown: false };
  const own = new URL(url);
  if (address !== "0.0.0.0" && address !== "::") return { server: own.origin, pin, unknown: false };
  const unknown = ownContainer() !== undefined;
  return { server: `https://${unknown ? "HOST" : hostname()}:${own.port || 443}`, pin, unknown };
}
