/** Which certificate the agent serves with, if any: the operator's, its own, or none where nobody else listens. */

import type { StateDirectory } from "../../boot/state.ts";
import type { AgentConfig } from "../config.ts";
import { isLoopback } from "../gateway/address.ts";
import { Certificate, type CertificateLog } from "./certificate.ts";
import { givenFiles } from "./given.ts";
import { ownNames } from "./names.ts";
import type { Source } from "./pair.ts";
import { selfMade } from "./self-made.ts";

/** Resolves with nothing where the agent serves in the clear: on loopback, behind a proxy, or because it was told to. */
export async function openCertificate(
  config: AgentConfig,
  { state, log }: { state: StateDirectory; log: CertificateLog },
): Promise<Certificate | undefined> {
  const source = chosen(config, state);
  return source && Certificate.open(source, log);
}

function chosen(config: AgentConfig, state: StateDirectory): Source | undefined {
  const { tls, tls_cert: cert, tls_key: key, node_name: holder } = config;
  const { listen_address: listenAddress, public_urls: publicUrls, trusted_proxies: proxies } = config;
  if (cert !== "") return givenFiles({ cert, key });
  const reachable = listenAddress !== "localhost" && !isLoopback(listenAddress);
  if (tls === "self-signed" || (tls === "auto" && reachable && proxies.length === 0))
    return selfMade({ state, holder, names: ownNames({ listenAddress, publicUrls }) });
  return undefined;
}
