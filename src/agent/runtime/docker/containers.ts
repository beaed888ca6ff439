/** What the engine answers about its containers: all of them, or one looked at more closely. */

import type { ContainerInspectInfo } from "dockerode";
import { type Container, type ContainerDetail, type EngineInfo, RuntimeError } from "../runtime.ts";
import { toContainer, toDetail } from "./container-answer.ts";
import { askVersion, type Engine } from "./engine.ts";
import { recordOf, textOf } from "./fields.ts";
import { isHelper } from "./helper-label.ts";
import { type JsonItem, jsonItems } from "./json-items.ts";
import { query } from "./wire-head.ts";

const FULL_ID = /^[0-9a-f]{64}$/;
/** How an item of the list begins. */
const BEGINNING = /^\s*\{"Id":"([0-9a-f]{64})"/;
/** Bytes that the engine may tell of all containers: with these, a line to a client is not too long for it. */
const MAX_LIST = 8 * 1024 * 1024;

export interface EngineList {
  listed: Container[];
  /** The ids of those of which the engine tells too much. */
  leftOut: string[];
}

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
  return (await allContainers(engine, signal, id)).listed;
}

/** Where they are too much together, it is the longest that are left out: those of ordinary length harm nobody. */
export function allContainers(engine: Engine, signal: AbortSignal, id?: string): Promise<EngineList> {
  const filters = id === undefined ? undefined : JSON.stringify({ id: [id] });
  const path = `/containers/json?${query({ all: true, filters })}`;
  return engine.read({ method: "GET", path }, signal, (wire) => fitting(jsonItems(wire.bulk(), MAX_LIST)));
}

async function fitting(items: AsyncIterable<JsonItem>): Promise<EngineList> {
  const kept: { container: Container; size: number }[] = [];
  const leftOut: string[] = [];
  let room = MAX_LIST;
  for await (const { value, size, text } of items) {
    const item = recordOf(value);
    const id = textOf(item["Id"]);
    if (value === undefined) leftOut.push(...(BEGINNING.exec(text)?.slice(1) ?? []));
    if (!FULL_ID.test(id) || isHelper(recordOf(item["Labels"]))) continue;
    kept.push({ container: toContainer(id, item), size });
    room -= size;
    if (room >= 0) continue;
    const longest = kept.reduce((one, other) => (other.size > one.size ? other : one));
    kept.splice(kept.indexOf(longest), 1);
    leftOut.push(longest.container.id);
    room += longest.size;
  }
  return { listed: kept.map(({ container }) => container), leftOut };
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
  return { ...container, ...toDetail(recordOf(raw)) };
}

/** Of a container in which nothing can be done now: an engine names it by its id alone, or not at all. */
export function notRunning({ name, state }: Container): RuntimeError {
  return new RuntimeError("not-running", `The container ${name} is not running; it is ${state}.`);
}
