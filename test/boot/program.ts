/** A program for the tests of `run`: it behaves as its `mode` says, and prints a word when it has got that far. */

import { run, StartError } from "../../src/boot/run.ts";
import { setting } from "../../src/boot/setting.ts";
import { duration, path, secret, size, text, toggle } from "../../src/boot/value.ts";

const CANARY = "canary-20f7";

/** Standard output on a terminal blocks, so a program that may be held says nothing there. */
function speaker(mode: string): (word: string) => void {
  return mode === "burst" ? () => undefined : (word) => process.stdout.write(`${word}\n`);
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}

await run({
  program: {
    name: "demo",
    version: "1.2.3",
    summary: "Behaves as it is told.",
    directory: "demo",
    file: "config.yaml",
    prefix: "DEMO_",
    configVariables: [],
    settings: {
      debug: setting({ type: toggle(), default: false, effect: "Says more." }),
      log_directory: setting({ type: path(), default: "", effect: "Logs." }),
      log_max_size: setting({ type: size({ min: 0 }), default: 0, effect: "Bounds." }),
      shutdown_grace: setting({ type: duration({ min: 0 }), default: 60_000, effect: "Waits." }),
      mode: setting({ type: text(), default: "idle", effect: "Behaves." }),
      token: setting({ type: secret(), default: undefined, effect: "Hides.", secret: (raw) => raw !== "" }),
      key_file: setting({ type: path(), default: "", effect: "Opens.", secretFile: true }),
    },
  },
  start: async ({ config, log, stopping }) => {
    const { mode } = config;
    const say = speaker(mode);
    log.info({ token: config.token, canary: CANARY.length }, "up");
    if (mode === "no-start") throw new StartError("the port is taken");
    if (mode === "no-port")
      throw Object.assign(new Error("listen EADDRINUSE: address already in use"), { code: "EADDRINUSE" });
    if (mode === "defect") throw new TypeError("x is not a function");
    if (mode === "slow-start") {
      say("ready");
      await aborted(stopping);
      throw new Error("told to end");
    }
    if (mode === "throws") setTimeout(() => rejectLater(log, new Error("nobody catches this")), 0);
    if (mode === "rejects") setTimeout(() => void Promise.reject(new Error("nobody handles this")), 0);
    if (mode === "chatty") setInterval(() => log.info("c".repeat(10_000)), 1);
    if (mode === "burst") for (let line = 0; line < 2_000; line++) log.info({ line }, "b".repeat(1_000));
    say("ready");
    return {
      close: async (cut) => {
        // Before the word, so that what it brings comes after this.
        if (mode === "echoed") process.kill(process.pid, "SIGINT");
        say("closing");
        if (mode === "busy" || mode === "echoed") await aborted(cut);
        if (mode === "stuck") await new Promise(() => undefined);
        if (mode === "bad-end") throw new Error("could not let go");
        say("closed");
      },
    };
  },
});

function rejectLater(log: { info(message: string): void }, error: Error): never {
  log.info("the last line before");
  throw error;
}
