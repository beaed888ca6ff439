/** The helper container itself: the agent's own program in the network of another container, with no right at all. */

import { RuntimeError } from "../../runtime.ts";
import type { Engine } from "../engine.ts";
import { describe } from "../errors.ts";
import { helperLabels, isHelper } from "../helper-label.ts";
import type { Wire } from "../wire.ts";
import { query } from "../wire-head.ts";

/** Where bin/lib/image-files puts them. */
const PROGRAM = ["/opt/fairlead/bin/node", "/opt/fairlead/dist/agent/guest.js"];
/** The image's user, by number: another image need not know its name. */
const USER = "10001:10001";
/** The state directory of the image, which would become a volume: nothing may be kept. */
const STATE = "/var/lib/fairlead";
/** Bytes; a program with nothing to do has 50 MiB, one with 512 connections that nobody reads 100 more. */
const MEMORY = 268_435_456;
const PIDS = 64;
/** What an engine says of an image in which there is no such file. */
const NO_PROGRAM = /\/opt\/fairlead\/|no such file|not found in \$PATH/i;

export interface GuestPlan {
  /** Of the container; nobody else's. */
  name: string;
  image: string;
  /** The id of the container whose network it is to join. */
  target: string;
}

/** Starts it and gives its standard streams; the signal ends them, and with them the program. Throws RuntimeError `dial-failed` with the engine's words. */
export async function startGuest(engine: Engine, plan: GuestPlan, signal: AbortSignal): Promise<Wire> {
  try {
    await engine.call(signal, (docker, abortSignal) => docker.createContainer({ ...options(plan), abortSignal }));
    const path = `/containers/${plan.name}/attach?${query({ stream: true, stdin: true, stdout: true, stderr: true })}`;
    const wire = await engine.stream({ method: "POST", path, upgrade: true }, signal);
    await engine.call(signal, (docker, abortSignal) => docker.getContainer(plan.name).start({ abortSignal }));
    return wire;
  } catch (error) {
    signal.throwIfAborted();
    throw refused(plan, error);
  }
}

/** True when no helper container of this name is left; one that is none of ours is left alone. */
export async function removeGuest(engine: Engine, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await engine.call(signal, async (docker, abortSignal) => {
      const container = docker.getContainer(name);
      const { Config: config } = await container.inspect({ abortSignal });
      // A name proves nothing.
      if (!isHelper(config.Labels)) return;
      await container.remove({ force: true, v: true, abortSignal });
    });
    return true;
  } catch (error) {
    // The second while the engine removes it by itself.
    return error instanceof RuntimeError && (error.code === "not-found" || error.code === "not-running");
  }
}

/** Its log is nobody's, and what passes through it would fill the disk. */
function options({ name, image, target }: GuestPlan) {
  return {
    name,
    Image: image,
    Entrypoint: PROGRAM,
    Cmd: [],
    User: USER,
    Labels: helperLabels("dial"),
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: `container:${target}`,
      AutoRemove: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      Tmpfs: { [STATE]: "ro,size=4k" },
      Memory: MEMORY,
      PidsLimit: PIDS,
      LogConfig: { Type: "none", Config: {} },
    },
  };
}

function refused({ image }: GuestPlan, cause: unknown): RuntimeError {
  const words = describe(cause);
  const missing = cause instanceof RuntimeError && cause.code === "not-found" && /image/i.test(words);
  const why = missing
    ? "The engine has no such image; helper_image has to name one that it has."
    : NO_PROGRAM.test(words)
      ? "That image does not hold Fairlead's program; helper_image has to name Fairlead's own image."
      : words;
  return new RuntimeError("dial-failed", `No helper container could be started of the image ${image}. ${why}`, {
    cause,
  });
}
