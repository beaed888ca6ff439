/** The one WebSocket frame that is made and read past the library: a whole binary message (RFC 6455, section 5.2). */

/** Final, and binary. */
export const BINARY = 0x82;
/** Of the second byte: a mask follows the length. */
export const MASKED = 0x80;
/** The longest length in the second byte itself, its other seven bits; one more: it follows in 2 bytes, two more: in 8. */
export const SHORT = 125;
export const MASK_BYTES = 4;
/** No header is longer. As much room has a pool's frame in front (`frame-pool.ts`). */
export const MAX_HEAD = 14;
const MAX_UINT16 = 65_535;

/** A client masks what it sends, a server does not. */
export type Side = "client" | "server";

/**
 * Writes the header into the bytes in front of the message, and returns both: no copy. Only for a pool's frames (`isPooled`),
 * which are longer than {@link SHORT}. A mask is of zeros.
 */
export function framed({ buffer, byteOffset, length }: Uint8Array, side: Side): Uint8Array {
  const wide = length > MAX_UINT16;
  const head = 2 + (wide ? 8 : 2) + (side === "client" ? MASK_BYTES : 0);
  const bytes = Buffer.from(buffer, byteOffset - head, head + length);
  bytes.fill(0, 0, head);
  bytes[0] = BINARY;
  bytes[1] = (side === "client" ? MASKED : 0) | (wide ? SHORT + 2 : SHORT + 1);
  if (wide) bytes.writeUInt32BE(length, 6);
  else bytes.writeUInt16BE(length, 2);
  return bytes;
}
