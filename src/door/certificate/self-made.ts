/** The certificate that the program makes for itself: one key for good, so that its pin stays, and a new certificate when it is time. */

import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { isUnwritable } from "../../boot/private-file.ts";
import type { StateDirectory } from "../../boot/state.ts";
import type { CertificateLog } from "./certificate.ts";
import { factsOf, type Pair, type Source } from "./pair.ts";

const KEY_FILE = "tls-key.pem";
const CERTIFICATE_FILE = "tls-cert.pem";
/** P-256: every browser knows it. */
const CURVE = "prime256v1";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The longest that Apple's systems accept. */
const VALID_DAYS = 825;
/** So many days before its end a certificate is renewed. */
const RENEW_DAYS = 60;
/** For clients whose clock is behind. */
const BACKDATED_MS = DAY;
const UNKEPT = "the new certificate is served and not kept, so that each start makes another, with the same key";

export interface SelfMadeOptions {
  state: Pick<StateDirectory, "path" | "read" | "create" | "replace">;
  /** The machine's name, for people. */
  holder: string;
  /** What the certificate must hold for. */
  names: readonly string[];
  log: Pick<CertificateLog, "warn">;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Browsers remember an exception for one certificate: it is made anew only when it ends soon or lacks a name. */
export function selfMade(options: SelfMadeOptions): Source {
  const { state, holder, names, log, now = Date.now } = options;
  /** The last one, where the disk did not take it. */
  let unkept = "";
  const source = `its own certificate in ${state.path}`;
  return {
    name: source,
    everyMs: HOUR,
    read: async () => {
      const key = await ownKey(options);
      for (const cert of [(await state.read(CERTIFICATE_FILE)) ?? "", unkept])
        if (isGood({ cert, key }, { names, at: now() })) return { cert, key };
      // Loaded only here: few starts need it.
      const { issue } = await import("./issue.ts");
      const [from, until] = [new Date(now() - BACKDATED_MS), new Date(now() + VALID_DAYS * DAY)];
      const cert = await issue({ key, holder, names, from, until });
      await state.replace(CERTIFICATE_FILE, cert).catch((error: unknown) => {
        if (!isUnwritable(error)) throw error;
        unkept = cert;
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ source }, `${UNKEPT}: ${reason}`);
      });
      return { cert, key };
    },
  };
}

/** A damaged key is not replaced: whoever pinned it should hear from the operator why it is another one. */
async function ownKey({ state }: SelfMadeOptions): Promise<string> {
  if ((await state.read(KEY_FILE)) === undefined) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: CURVE });
    await state.create(KEY_FILE, privateKey.export({ type: "pkcs8", format: "pem" }));
  }
  const key = (await state.read(KEY_FILE)) ?? "";
  if (isKey(key)) return key;
  const path = join(state.path, KEY_FILE);
  throw new Error(`${path} is damaged; put a copy back, or remove it to get another key with another pin`);
}

function isKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyDetails?.namedCurve === CURVE;
  } catch {
    return false;
  }
}

function isGood(pair: Pair, { names, at }: { names: readonly string[]; at: number }): boolean {
  try {
    const { validTo } = factsOf(pair);
    const certificate = new X509Certificate(pair.cert);
    const covers = (name: string) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name));
    const begun = new Date(certificate.validFrom).getTime() <= at;
    return begun && validTo.getTime() - at > RENEW_DAYS * DAY && names.every(covers);
  } catch {
    // Absent, damaged or of another key: a new one takes its place.
    return false;
  }
}
