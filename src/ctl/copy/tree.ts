/** What an archive becomes on this machine's disk, entry by entry, in a directory that is all its own. */

import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  statfsSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { dirname, join, posix } from "node:path";
import type { Header } from "tar-stream";
import { Failure } from "../failure.ts";
import { type Entry, FileWriter } from "./file.ts";
import { read } from "./facts.ts";
import { isMangled, isName, staysInside } from "./untrusted.ts";

/** Things in one archive. */
const MAX_ENTRIES = 10_000_000;
const MAX_DIRECTORIES = 1_000_000;
/** What was left out is listed up to here. */
const MAX_LEFT_OUT = 1_000;

/** A pipe gets the bytes as they are. */
const ODD = "a name in it is not UTF-8; for that, copy to - and unpack with tar";

const PERMISSIONS = 0o777;
/** Rights of the owner over a directory, without which nothing could be put into it or moved with it. */
const OPEN = 0o700;

export interface TreeOptions {
  /** A path in a directory that nobody else uses; the archive's first entry becomes this. */
  root: string;
  /** Owners and set-id bits are kept too. */
  owners: boolean;
}

export interface Unpacked {
  /** What could not be had here, and why; shortened. */
  leftOut: string[];
  /** Gives directories that may not be written to their last rights, once the root is at this path. */
  seal: (path: string) => void;
}

/** Takes the entries of one archive, in order; throws {@link Failure} for what no honest archive has. */
export class Tree {
  readonly #options: TreeOptions;
  readonly #files: FileWriter;
  /** Of the file system, in bytes. */
  readonly #room: number;
  /** By their path below the root, which itself is "". */
  readonly #directories = new Map<string, Header>();
  readonly #leftOut: string[] = [];
  /** The first entry's name: all others must lie below it. */
  #base: string | undefined;
  #bytes = 0;
  #entries = 0;

  constructor(options: TreeOptions, written: (piece: Uint8Array) => void) {
    this.#options = options;
    this.#files = new FileWriter({ written });
    const { bavail, bsize } = statfsSync(dirname(options.root));
    this.#room = bavail * bsize;
  }

  async add(entry: Entry): Promise<void> {
    const { header } = entry;
    Object.assign(header, read(header));
    this.#count(header);
    if (this.#isOdd(header)) {
      this.#leaveOut(header.name.slice((this.#base?.length ?? -1) + 1), ODD);
      return void entry.resume();
    }
    const below = this.#place(header.name);
    switch (header.type) {
      case "directory":
        this.#addDirectory(below, header);
        break;
      case "file":
      case "contiguous-file":
        await this.#addFile(below, entry);
        break;
      case "symlink":
        this.#addLink(below, header);
        break;
      case "link":
        this.#addName(below, header);
        break;
      default:
        this.#leaveOut(below, `it is a ${header.type}`);
    }
    entry.resume();
  }

  finish(): Unpacked {
    const sealed: [string, number][] = [];
    for (const [below, header] of [...this.#directories].toReversed()) {
      const path = this.#pathOf(below);
      const mode = this.#modeOf(header);
      this.#giveAway(header, (uid, gid) => chownSync(path, uid, gid));
      chmodSync(path, mode | OPEN);
      utimesSync(path, header.mtime, header.mtime);
      if ((mode | OPEN) !== mode) sealed.push([below, mode]);
    }
    const seal = (root: string) => {
      for (const [below, mode] of sealed) chmodSync(below === "" ? root : join(root, below), mode);
    };
    return { leftOut: this.#leftOut, seal };
  }

  #count({ size }: Header): void {
    this.#entries += 1;
    this.#bytes += size;
    if (this.#bytes > this.#room)
      throw new Failure(`There is no room for it: ${this.#bytes} bytes and more, where ${this.#room} are free.`, {
        exit: 1,
      });
    if (this.#entries > MAX_ENTRIES || this.#directories.size > MAX_DIRECTORIES)
      throw hostile(`has more than ${MAX_ENTRIES} entries, or ${MAX_DIRECTORIES} directories`);
  }

  /** The path below the root, all of whose parents are directories that this archive has made. */
  #place(name: string): string {
    const plain = name.replace(/\/+$/, "");
    if (this.#base === undefined) {
      this.#base = plain;
      return "";
    }
    const below = this.#strip(plain);
    const parent = posix.dirname(below);
    if (!this.#directories.has(parent === "." ? "" : parent))
      throw hostile(`puts "${name}" where it has made no directory`);
    return below;
  }

  /** Two names that are not UTF-8 look alike here, and neither is what anything over there is called. */
  #isOdd({ name, linkname }: Header): boolean {
    const below = this.#base === undefined ? "" : name.slice(this.#base.length);
    return isMangled(below) || isMangled(linkname ?? "");
  }

  #strip(name: string): string {
    const base = `${this.#base}/`;
    const below = name.slice(base.length);
    if (!name.startsWith(base) || !below.split("/").every(isName))
      throw hostile(`names "${name}", which is not in what was asked for`);
    return below;
  }

  #addDirectory(below: string, header: Header): void {
    this.#make(below, (path) => mkdirSync(path, OPEN));
    this.#directories.set(below, header);
  }

  async #addFile(below: string, entry: Entry): Promise<void> {
    const { header } = entry;
    // Only a file that is not there yet: `wx` follows no link either.
    const descriptor = this.#make(below, (path) => openSync(path, "wx", 0o600));
    try {
      await this.#files.write(entry, descriptor);
      this.#giveAway(header, (uid, gid) => fchownSync(descriptor, uid, gid));
      fchmodSync(descriptor, this.#modeOf(header));
      futimesSync(descriptor, header.mtime, header.mtime);
    } finally {
      closeSync(descriptor);
    }
  }

  /** A link may lead to what was copied with it, and nowhere else. */
  #addLink(below: string, header: Header): void {
    const { linkname } = header;
    if (!staysInside(below, linkname)) return this.#leaveOut(below, `it is a link to ${linkname}, out of the copy`);
    this.#make(below, (path) => symlinkSync(linkname, path));
    this.#giveAway(header, (uid, gid) => lchownSync(this.#pathOf(below), uid, gid));
  }

  /** A second name of a file that this archive has brought. */
  #addName(below: string, { linkname }: Header): void {
    const other = this.#place(linkname);
    const from = this.#pathOf(other);
    if (other === "" || !lstatSync(from, { throwIfNoEntry: false })?.isFile())
      throw hostile(`gives another name to "${linkname}", which is no file of it`);
    this.#make(below, (path) => linkSync(from, path));
  }

  /** What is there already, under this name or under one that this file system takes for the same, is never touched. */
  #make<T>(below: string, work: (path: string) => T): T {
    try {
      return work(this.#pathOf(below));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw hostile(`has two things that are both called "${below}" on this file system`);
    }
  }

  #modeOf({ mode }: Header): number {
    return this.#options.owners ? mode : mode & PERMISSIONS;
  }

  #giveAway({ uid, gid }: Header, work: (uid: number, gid: number) => void): void {
    if (this.#options.owners) work(uid, gid);
  }

  #leaveOut(below: string, why: string): void {
    if (this.#leftOut.length < MAX_LEFT_OUT) this.#leftOut.push(`${below || this.#base}: ${why}`);
  }

  #pathOf(below: string): string {
    return below === "" ? this.#options.root : join(this.#options.root, below);
  }
}

function hostile(what: string): Failure {
  return new Failure(`The archive ${what}. Nothing was copied.`, { exit: 1 });
}
