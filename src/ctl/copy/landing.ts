/** Where a copy lands: the rules of `docker cp`, the same in both directions. */

import { Failure } from "../failure.ts";

export interface Departure {
  directory: boolean;
  name: string;
  /** What is in it is copied, and not the directory. */
  contents: boolean;
  /** As the user wrote it, for messages; also below. */
  shown: string;
}

export interface Destination {
  /** `file` is anything that is there and no directory. */
  kind: "directory" | "file" | "absent";
  name: string;
  /** It was written as a directory, with a slash at its end. */
  asserted: boolean;
  shown: string;
}

/** Under which name, in the destination itself or in the directory that it is in. */
export interface Landing {
  into: "itself" | "parent";
  /** `.` adds what is in a directory to what is there. */
  name: string;
}

/** Throws {@link Failure} where a file meets a directory. */
export function land(from: Departure, to: Destination): Landing {
  if (to.kind === "directory") return { into: "itself", name: from.contents ? "." : from.name };
  if (to.kind === "file" && (from.directory || to.asserted))
    throw new Failure(`${to.shown} is a file; a directory is needed for ${from.shown}.`, { exit: 1 });
  if (to.asserted && !from.directory)
    throw new Failure(`The directory ${to.shown} does not exist. Make it first, or leave out the slash at its end.`, {
      exit: 1,
    });
  return { into: "parent", name: to.name };
}
