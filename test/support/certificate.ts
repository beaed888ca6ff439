/** Certificates made on the spot by openssl, which knows nothing of our code. */

import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];

export interface TestCertificate {
  cert: string;
  key: string;
  pin: string;
}

/** Self-signed, for names as openssl writes them: `DNS:localhost,IP:127.0.0.1`. */
export async function certificate(names = "DNS:localhost,IP:127.0.0.1"): Promise<TestCertificate> {
  const directory = await mkdtemp(join(tmpdir(), "fl-certificate-"));
  try {
    const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
    const wish = ["-subj", "/CN=test", "-addext", `subjectAltName=${names}`, "-keyout", keyFile, "-out", certFile];
    await promisify(execFile)("openssl", ["req", "-x509", ...NEW_KEY, ...wish]);
    const cert = await readFile(certFile, "utf8");
    return { cert, key: await readFile(keyFile, "utf8"), pin: pinOf(cert) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** As `openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum` gives it. */
export function pinOf(cert: string): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}
