/** Owners and times that the fields of a tar header have no room for: those stand in records before it (POSIX, pax). */

import type { Header } from "tar-stream";

export interface Facts {
  /** Without them root. */
  uid?: number;
  gid?: number;
  mtime: Date;
}

/** Of six octal digits, which is what tar-stream writes. */
const MAX_ID = 0o777_777;
/** What it writes of a time, in seconds since 1970. */
const MAX_SECONDS = 2 ** 31 - 1;
/** The kernel's; the one above means nobody. */
const MAX_KERNEL_ID = 2 ** 32 - 2;
/** Furthest time that a `Date` can be. */
const MAX_DATE_MS = 8.64e15;

/** For an archive that is written: the library cuts short what does not fit, or writes what no engine can read. */
export function written({ uid = 0, gid = 0, mtime }: Facts): Partial<Header> {
  const seconds = Math.floor(mtime.getTime() / 1_000);
  const fits = seconds >= 0 && seconds <= MAX_SECONDS;
  const pax = {
    ...(uid > MAX_ID && { uid: String(uid) }),
    ...(gid > MAX_ID && { gid: String(gid) }),
    ...(!fits && { mtime: String(seconds) }),
  };
  const facts = { uid, gid, mtime: fits ? mtime : new Date(0) };
  return Object.keys(pax).length === 0 ? facts : { ...facts, pax };
}

/** Of an archive that is read. A record that makes no sense is none. */
export function read({ uid, gid, mtime, pax }: Header): Required<Facts> {
  const records = (pax ?? {}) as NodeJS.Dict<string>;
  const ms = Number(records["mtime"] ?? Number.NaN) * 1_000;
  return {
    uid: idOf(records["uid"]) ?? uid,
    gid: idOf(records["gid"]) ?? gid,
    mtime: Math.abs(ms) <= MAX_DATE_MS ? new Date(ms) : mtime,
  };
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= MAX_KERNEL_ID ? Number(text) : undefined;
}
