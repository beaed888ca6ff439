/** Containers as the interface describes them, out of the engine's JSON. */

import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import { type Container, type ContainerDetail, type EngineInfo, type PublishedPort, RuntimeError } from "../runtime.ts";
import { askVersion, type Engine } from "./engine.ts";
import { isHelper } from "./helper-label.ts";

const FULL_ID = /^[0-9a-f]{64}$/;
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

/** Everything but a full id is refused before it can become a part of a path. */
export function requireId(id: string): void {
  if (!FULL_ID.test(id)) throw new RuntimeError("not-found", "A container is named by its full id of 64 hex digits.");
}

export async function engineInfo(engine: Engine, signal: AbortSignal): Promise<EngineInfo> {
  const { name } = await engine.dialect(signal);
  const version = await engine.call(signal, askVersion);
  return {
    name,
    version: String(version.Version),
    apiVersion: String(version.ApiVersion),
    os: String(version.Os),
    arch: String(version.Arch),
  };
}

export async function listContainers(engine: Engine, signal: AbortSignal, id?: string): Promise<Container[]> {
  const filters = id === undefined ? {} : { filters: { id: [id] } };
  const items = await engine.call(signal, (docker, abortSignal) =>
    docker.listContainers({ all: true, ...filters, abortSignal }),
  );
  if (!Array.isArray(items)) throw new RuntimeError("engine-error", "The engine's list of containers is not a list.");
  const listed = (item: Partial<ContainerInfo> | null) => FULL_ID.test(item?.Id ?? "") && !isHelper(item?.Labels);
  return items.filter(listed).map(toContainer);
}

/** The engine's own detailed answer, for what only this folder needs (pid, addresses). */
export async function rawInspect(engine: Engine, id: string, signal: AbortSignal): Promise<ContainerInspectInfo> {
  requireId(id);
  return engine.call(signal, (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }));
}

export async function inspectContainer(engine: Engine, id: string, signal: AbortSignal): Promise<ContainerDetail> {
  const [raw, listed] = await Promise.all([rawInspect(engine, id, signal), listContainers(engine, signal, id)]);
  const container = listed.find((item) => item.id === id);
  if (!container) throw new RuntimeError("not-found", `The container ${id} was removed meanwhile.`);
  return { ...container, ...toDetail(raw) };
}

/** The engine's answer is input like any other: what is missing has a value that does no harm. */
function toContainer(item: Partial<ContainerInfo>): Container {
  const { Id: id = "", Image: image = "", ImageID: imageId = "", Command: command = "", Status: status = "" } = item;
  return {
    id,
    name: nameOf(id, item.Names ?? []),
    image,
    imageId,
    command,
    state: STATES.get(item.State ?? "") ?? "dead",
    status,
    created: (item.Created ?? 0) * 1000,
    labels: item.Labels ?? {},
    ports: (item.Ports ?? []).map(toPort),
    networks: Object.keys(item.NetworkSettings?.Networks ?? {}),
  };
}

/** A link gives a container further names such as "/other/alias"; its own has one slash. */
function nameOf(id: string, names: string[]): string {
  const own = names.find((name) => name.lastIndexOf("/") <= 0) ?? names[0];
  return own?.replace(/^\//, "") ?? id.slice(0, 12);
}

function toPort(port: ContainerInfo["Ports"][number]): PublishedPort {
  return {
    container: port.PrivatePort,
    protocol: port.Type,
    ...(port.PublicPort ? { host: port.PublicPort } : {}),
    ...(port.IP ? { address: port.IP } : {}),
  };
}

function toDetail(raw: ContainerInspectInfo): Omit<ContainerDetail, keyof Container> {
  const { Config: config, State: state } = raw;
  const startedAt = time(state.StartedAt);
  const finishedAt = time(state.FinishedAt);
  return {
    tty: config.Tty,
    openStdin: config.OpenStdin,
    stdinOnce: config.StdinOnce,
    ...(startedAt ? { startedAt } : {}),
    ...(finishedAt ? { finishedAt } : {}),
    ...(finishedAt && !state.Running ? { exitCode: state.ExitCode } : {}),
    restartPolicy: raw.HostConfig.RestartPolicy?.Name || "no",
    ...(state.Health ? { health: state.Health.Status } : {}),
    mounts: (raw.Mounts ?? []).map((mount) => ({
      type: (mount as { Type?: string }).Type ?? "volume",
      source: mount.Source,
      destination: mount.Destination,
      readOnly: !mount.RW,
    })),
  };
}

function time(stamp: string | undefined): string | undefined {
  return stamp && stamp !== NO_TIME ? stamp : undefined;
}
