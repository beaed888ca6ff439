/** Writes a certificate that a key signs for itself: the only place that knows how X.509 is written. */

import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { BitString, Integer, OctetString, Utf8String } from "asn1js";
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  Time,
  TimeType,
} from "pkijs";

/** X.509 bounds a common name to so many characters. */
const MAX_COMMON_NAME = 64;
const SERIAL_BYTES = 16;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const OID = {
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
};
/** The first of nine key usages, alone in its byte (RFC 5280, 4.2.1.3). */
const DIGITAL_SIGNATURE = { valueHex: Uint8Array.of(0x80).buffer, unusedBits: 7 };
/** The choices of a general name (RFC 5280, 4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
/** The last year of the short form of a time (RFC 5280, 4.1.2.5). */
const LAST_SHORT_YEAR = 2049;

export interface Wish {
  /** A private key on the curve P-256 in PEM. */
  key: string;
  /** The machine's name, for people who look at the certificate. */
  holder: string;
  /** DNS names and IP addresses for which it holds. */
  names: readonly string[];
  from: Date;
  until: Date;
}

/** The certificate in PEM: for a server, and for no other purpose. */
export async function issue({ key, holder, names, from, until }: Wish): Promise<string> {
  const engine = new CryptoEngine({ name: "node", crypto });
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = serialNumber();
  for (const name of [certificate.issuer, certificate.subject]) name.typesAndValues.push(commonName(holder));
  certificate.notBefore = time(from);
  certificate.notAfter = time(until);
  certificate.extensions = extensions(names);
  const [spki, pkcs8] = [
    createPublicKey(key).export({ type: "spki", format: "der" }),
    createPrivateKey(key).export({ type: "pkcs8", format: "der" }),
  ];
  const publicKey = await engine.importKey("spki", new Uint8Array(spki), ALGORITHM, true, ["verify"]);
  const privateKey = await engine.importKey("pkcs8", new Uint8Array(pkcs8), ALGORITHM, false, ["sign"]);
  await certificate.subjectPublicKeyInfo.importKey(publicKey, engine);
  await certificate.sign(privateKey, "SHA-256", engine);
  return pem(Buffer.from(certificate.toSchema().toBER(false)));
}

/** Random, positive and without a leading zero. */
function serialNumber(): Integer {
  const bytes = new Uint8Array(randomBytes(SERIAL_BYTES));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return new Integer({ valueHex: bytes.buffer });
}

function time(value: Date): Time {
  const type = value.getUTCFullYear() > LAST_SHORT_YEAR ? TimeType.GeneralizedTime : TimeType.UTCTime;
  return new Time({ type, value });
}

function commonName(holder: string): AttributeTypeAndValue {
  const value = new Utf8String({ value: `Fairlead on ${holder}`.slice(0, MAX_COMMON_NAME) });
  return new AttributeTypeAndValue({ type: OID.commonName, value });
}

function extensions(names: readonly string[]): Extension[] {
  const extension = (extnID: string, critical: boolean, part: { toBER(): ArrayBuffer }) =>
    new Extension({ extnID, critical, extnValue: part.toBER() });
  const purposes = new ExtKeyUsage({ keyPurposes: [OID.serverAuth] });
  return [
    extension(OID.basicConstraints, true, new BasicConstraints({ cA: false }).toSchema()),
    extension(OID.keyUsage, true, new BitString(DIGITAL_SIGNATURE)),
    extension(OID.extendedKeyUsage, false, purposes.toSchema()),
    extension(OID.alternativeNames, false, new GeneralNames({ names: names.map(generalName) }).toSchema()),
  ];
}

function generalName(name: string): GeneralName {
  if (isIP(name) === 0) return new GeneralName({ type: DNS_NAME, value: name });
  return new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex: ipBytes(name).buffer }) });
}

/** 4 or 16 bytes in network order. */
function ipBytes(address: string): Uint8Array<ArrayBuffer> {
  if (isIP(address) === 4) return Uint8Array.from(address.split("."), Number);
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  // A URL writes an address in one way only: without embedded IPv4, zones or needless zeros.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
