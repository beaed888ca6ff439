/** A container as the interface describes it, out of the engine's JSON. */

import type { Container, ContainerDetail, PublishedPort } from "../runtime.ts";
import { listOf, numberOf, recordOf, textOf } from "./fields.ts";

/** The mode of a network that is another container's. */
const SHARED = /^container:([0-9a-f]{64})$/;
/** The engine writes this for a time that has not come. */
const NO_TIME = "0001-01-01T00:00:00Z";

const STATES = new Map<string, Container["state"]>([
  ["created", "created"],
  ["running", "running"],
  ["paused", "paused"],
  ["restarting", "restarting"],
  ["removing", "removing"],
  ["exited", "exited"],
  ["dead", "dead"],
  // Podman's additions:
  ["configured", "created"],
  ["initialized", "created"],
  ["stopping", "running"],
  ["stopped", "exited"],
]);

/** An item of the engine's list; `id` is its own. */
export function toContainer(id: string, item: Record<string, unknown>): Container {
  const [, networkOf] = SHARED.exec(textOf(recordOf(item["HostConfig"])["NetworkMode"])) ?? [];
  return {
    id,
    name: nameOf(id, listOf(item["Names"]).map(textOf)),
    image: textOf(item["Image"]),
    imageId: textOf(item["ImageID"]),
    command: textOf(item["Command"]),
    state: STATES.get(textOf(item["State"])) ?? "dead",
    status: textOf(item["Status"]),
    created: numberOf(item["Created"]) * 1000,
    labels: labelsOf(item["Labels"]),
    ports: listOf(item["Ports"]).map(recordOf).filter(isPort).map(toPort),
    networks: Object.keys(recordOf(recordOf(item["NetworkSettings"])["Networks"])),
    ...(networkOf !== undefined && { networkOf }),
  };
}

/** A link gives a container further names such as "/other/alias"; its own has one slash. */
function nameOf(id: string, names: string[]): string {
  const own = names.find((name) => name.lastIndexOf("/") <= 0) ?? names[0];
  return own?.replace(/^\//, "") || id.slice(0, 12);
}

/** One that is no text counts as missing: nobody may do more for it. */
function labelsOf(labels: unknown): Record<string, string> {
  const pairs = Object.entries(recordOf(labels));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

function isPort(port: Record<string, unknown>): boolean {
  return numberOf(port["PrivatePort"]) > 0;
}

function toPort(port: Record<string, unknown>): PublishedPort {
  const [host, address] = [numberOf(port["PublicPort"]), textOf(port["IP"])];
  return {
    container: numberOf(port["PrivatePort"]),
    protocol: textOf(port["Type"]),
    ...(host ? { host } : {}),
    ...(address ? { address } : {}),
  };
}

/** The engine's closer look. */
export function toDetail(raw: Record<string, unknown>): Omit<ContainerDetail, keyof Container> {
  const [config, state, hostConfig] = [recordOf(raw["Config"]), recordOf(raw["State"]), recordOf(raw["HostConfig"])];
  const startedAt = timeOf(state["StartedAt"]);
  const finishedAt = timeOf(state["FinishedAt"]);
  const health = textOf(recordOf(state["Health"])["Status"]);
  return {
    tty: config["Tty"] === true,
    openStdin: config["OpenStdin"] === true,
    stdinOnce: config["StdinOnce"] === true,
    ...(startedAt ? { startedAt } : {}),
    ...(finishedAt ? { finishedAt } : {}),
    ...(finishedAt && state["Running"] !== true ? { exitCode: numberOf(state["ExitCode"]) } : {}),
    restartPolicy: textOf(recordOf(hostConfig["RestartPolicy"])["Name"]) || "no",
    ...(health ? { health } : {}),
    mounts: listOf(raw["Mounts"]).map(recordOf).map(toMount),
  };
}

function toMount(mount: Record<string, unknown>): ContainerDetail["mounts"][number] {
  return {
    type: textOf(mount["Type"]) || "volume",
    source: textOf(mount["Source"]),
    destination: textOf(mount["Destination"]),
    readOnly: mount["RW"] !== true,
  };
}

function timeOf(stamp: unknown): string {
  return stamp === NO_TIME ? "" : textOf(stamp);
}
