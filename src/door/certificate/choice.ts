/** Which certificate the program serves with, if any: the operator's, its own, or none where nobody else listens. */

import type { StateDirectory } from "../../boot/state.ts";
import { isLoopback } from "../address.ts";
import { Certificate, type CertificateLog } from "./certificate.ts";
import { givenFiles } from "./given.ts";
import { ownNames } from "./names.ts";
import type { Source } from "./pair.ts";
import { selfMade } from "./self-made.ts";

/** As a program's configuration has it. */
export interface CertificateWish {
  tls: string;
  tls_cert: string;
  tls_key: string;
  listen_address: string;
  public_urls: string[];
  trusted_proxies: string[];
}

/** What the certificate is made from: `holder` is the machine's name, for people. */
export interface CertificateParts {
  holder: string;
  state: StateDirectory;
  log: CertificateLog;
}

/** Resolves with nothing where the program serves in the clear: on loopback, behind a proxy, or because it was told to. */
export async function openCertificate(
  wish: CertificateWish,
  parts: CertificateParts,
): Promise<Certificate | undefined> {
  const source = chosen(wish, parts);
  return source && Certificate.open(source, parts.log);
}

function chosen(wish: CertificateWish, { holder, state, log }: CertificateParts): Source | undefined {
  const { tls, tls_cert: cert, tls_key: key } = wish;
  const { listen_address: listenAddress, public_urls: publicUrls, trusted_proxies: proxies } = wish;
  if (cert !== "") return givenFiles({ cert, key });
  const reachable = listenAddress !== "localhost" && !isLoopback(listenAddress);
  if (tls === "self-signed" || (tls === "auto" && reachable && proxies.length === 0))
    return selfMade({ state, holder, log, names: ownNames({ listenAddress, publicUrls }) });
  return undefined;
}
