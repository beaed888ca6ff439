/** Files of this machine as a tar archive, made while it is sent. */

import { isUtf8 } from "node:buffer";
import { closeSync, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type Header, type Pack, pack } from "tar-stream";
import { roomIn } from "../../lib/room.ts";
import { written } from "./facts.ts";
import { explained, isMadeUp, type OpenFile, openFile, Reader } from "./reading.ts";

/** Small pieces are collected to blocks of so many bytes; a file up to this size is read at once. */
const BLOCK = 64 * 1024;
/** Larger files are read in pieces of so many bytes: two of the longest packets that a session has. */
const PIECE = 240 * 1024;
/** A pipe gets the bytes as they are. */
const ODD = "not UTF-8; for that, pack with tar and copy from -";

export interface PackOptions {
  /** What the first entry is called; everything else lies below it. */
  name: string;
  /** Owners are told; otherwise everything belongs to root over there. */
  owners: boolean;
  /** Hears of what no archive can hold. */
  leaveOut: (path: string, why: string) => void;
}

/** The archive of a file or a directory, in pieces that are valid until the next one is asked for. Throws {@link Failure}. */
export async function* packTree(path: string, options: PackOptions): AsyncGenerator<Uint8Array, void, void> {
  const archive = pack();
  const spare: Buffer[] = [];
  addTree({ archive, spare, reader: new Reader() }, path, options).then(
    () => archive.finalize(),
    (error: Error) => archive.destroy(error),
  );
  const block = Buffer.allocUnsafe(BLOCK);
  let used = 0;
  for await (const bytes of archive as AsyncIterable<Uint8Array>) {
    if (used > 0 && used + bytes.length > BLOCK) {
      yield block.subarray(0, used);
      used = 0;
    }
    if (bytes.length > BLOCK) {
      yield bytes;
      // A piece of a file, that nobody holds any more.
      spare.push(Buffer.from(bytes.buffer));
    } else {
      block.set(bytes, used);
      used += bytes.length;
    }
  }
  yield block.subarray(0, used);
}

interface Packing {
  archive: Pack;
  /** Of {@link PIECE} bytes each: made once, because memory is collected later than a disk is read. */
  spare: Buffer[];
  reader: Reader;
}

/** A path whose name says what it is in the archive, and everything below. */
async function addTree(packing: Packing, path: string, options: PackOptions): Promise<void> {
  const stats = explained(path, () => lstatSync(path));
  const { owners, leaveOut } = options;
  const { archive } = packing;
  // The point keeps the first bytes of an archive from looking like those of a compressed one.
  const header = { ...factsOf(stats, owners), name: `./${options.name}` };
  if (stats.isDirectory()) {
    await add(archive, { ...header, type: "directory" });
    for (const name of namesIn(path, leaveOut))
      await addTree(packing, join(path, name), { ...options, name: `${options.name}/${name}` });
  } else if (stats.isSymbolicLink()) {
    const target = explained(path, () => readlinkSync(path, "buffer"));
    if (isUtf8(target)) await add(archive, { ...header, type: "symlink", linkname: target.toString() });
    else leaveOut(path, `what it leads to is ${ODD}`);
  } else if (stats.isFile()) await addFile(packing, path, options);
  else leaveOut(path, "it is neither a file, a directory nor a link");
}

/** Those that can be told; a name is bytes to the system. */
function namesIn(path: string, leaveOut: PackOptions["leaveOut"]): string[] {
  const told: string[] = [];
  for (const name of explained(path, () => readdirSync(path, "buffer")))
    if (isUtf8(name)) told.push(name.toString());
    else leaveOut(join(path, name.toString()), `its name is ${ODD}`);
  return told.toSorted();
}

/** What it was when it was opened is what the archive says. */
async function addFile(packing: Packing, path: string, { name, owners, leaveOut }: PackOptions): Promise<void> {
  const file = openFile(path);
  if (!file) return leaveOut(path, "it has just become something else than a file");
  try {
    if (isMadeUp(file)) return leaveOut(path, "it does not tell how long it is; for that, cat it into a file first");
    const { size } = file.stats;
    const header = { ...factsOf(file.stats, owners), name: `./${name}`, type: "file", size } as const;
    if (size > BLOCK) await addPieces(packing, header, file);
    else await add(packing.archive, header, await readWhole(packing, file));
  } finally {
    closeSync(file.descriptor);
  }
}

function add(archive: Pack, header: Partial<Header> & { name: string }, bytes?: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const added = (error?: Error | null) => (error ? reject(error) : resolve());
    if (bytes) archive.entry(header, bytes, added);
    else archive.entry(header, added);
  });
}

async function readWhole({ reader }: Packing, file: OpenFile): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(file.stats.size);
  for (let at = 0; at < bytes.length; ) at += await reader.read(file, bytes.subarray(at));
  return bytes;
}

async function addPieces(
  { archive, spare, reader }: Packing,
  header: Partial<Header> & { name: string; size: number },
  file: OpenFile,
): Promise<void> {
  let entry: ReturnType<Pack["entry"]> | undefined;
  const done = new Promise<void>((resolve, reject) => {
    entry = archive.entry(header, (error) => (error ? reject(error) : resolve()));
  });
  done.catch(() => {});
  // What breaks the archive breaks its entry: that is told once, by the archive.
  entry?.on("error", () => {});
  for (let left = header.size; left > 0; ) {
    const piece = spare.pop() ?? Buffer.allocUnsafeSlow(PIECE);
    const bytesRead = await reader.read(file, piece.subarray(0, Math.min(left, PIECE)));
    left -= bytesRead;
    if (entry && !entry.write(piece.subarray(0, bytesRead))) await roomIn(entry);
  }
  entry?.end(null);
  await done;
}

/** The mode has the bits that tell what it is, too, of which no archive hears: the library takes a 0 for the usual rights. */
function factsOf({ mode, mtime, uid, gid }: Stats, owners: boolean): Partial<Header> {
  return { mode, ...written(owners ? { mtime, uid, gid } : { mtime }) };
}
