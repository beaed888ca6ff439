/** What a scripted container's ports lead to. */

import { Duplex } from "node:stream";

/** Of one read, in bytes. */
const PIECE = 65_536;

/** Says what it hears, and ends when it has heard all. */
export function echo(): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      this.push(chunk);
      done();
    },
    final(done) {
      this.push(null);
      done();
    },
  });
}

/** Says so many bytes, as fast as somebody takes them, and tells of each piece that was taken; hears nothing. */
export function flood(bytes: number, note: (bytes: number) => void = () => {}): Duplex {
  let left = bytes;
  return new Duplex({
    read() {
      const piece = Buffer.alloc(Math.min(PIECE, left));
      left -= piece.length;
      note(piece.length);
      this.push(piece.length > 0 ? piece : null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
}
