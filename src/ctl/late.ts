/** Parts of Node that are loaded when they are needed: an `import` of them would be paid for at every start. */

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Requiring the module loads what it does; importing it would also load all that it merely can export, such as `fetch`: 25 ms. */
export function http(protocol: string): typeof import("node:http") {
  return require(protocol === "https:" ? "node:https" : "node:http") as typeof import("node:http");
}

export function childProcess(): typeof import("node:child_process") {
  return require("node:child_process") as typeof import("node:child_process");
}
