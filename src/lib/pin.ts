/** A pin: the fingerprint by which a client knows a server's key again, whatever certificate the key comes in. */

/**
 * `sha256:` and 64 hexadecimal digits, the SHA-256 of the server's public key (its DER SubjectPublicKeyInfo); `undefined`
 * for what is none. The digits may be capitals with colons between them, as browsers show them.
 */
export function parsePin(text: string): string | undefined {
  const [, digits = ""] = /^(?:sha256:)?([0-9a-f:]*)$/.exec(text.trim().toLowerCase()) ?? [];
  const plain = digits.replace(/([0-9a-f]{2}):(?=[0-9a-f]{2})/g, "$1");
  return /^[0-9a-f]{64}$/.test(plain) ? `sha256:${plain}` : undefined;
}
