/** Which versions of Docker's API are spoken here, and everything in which Podman differs behind that API. */

import { RuntimeError, type RuntimeErrorCode } from "../runtime.ts";

/** Minor versions of API 1: what is read and sent here is in all of them. Docker 19.03 has 1.40, Docker 28 has 1.51. */
const OLDEST = 40;
const NEWEST = 51;
/** Of Podman's own API, which it serves beside Docker's; every Podman since 4.0 knows it. */
const PODMAN_API = "/v4.0.0/libpod";

export interface Dialect {
  readonly name: "docker" | "podman";
  /** Before the path of a request: the newest version that both sides know. Empty for an engine that tells none. */
  readonly api: string;
  /** Before the path of a log. Podman tells where the parts of a terminal's lines end in its own API only. */
  readonly logsApi: string;
  /** A terminal's log comes in frames like any other. */
  readonly framesTerminals: boolean;
  /** A follow may end, as if the container had, when the log's file is rotated. */
  readonly losesRotatedLogs: boolean;
  /** Of the time since which events are asked for, the last digits are not kept. */
  readonly roundsEventTimes: boolean;
  /** Milliseconds after a terminal's size in which another one is lost; 0 for none. */
  readonly resizePause: number;
  /** What stands in the stream of an exec that could not start, and had no process. */
  readonly startFailure: RegExp;
  /** The exit status of an exec that does not run; null when it has not started. */
  readonly exitCode: (exec: ExecAnswer) => number | null;
}

export interface ExecAnswer {
  ExitCode: number | null;
  CanRemove: boolean;
}

/** What an engine says about itself; it is input like any other. */
export interface VersionAnswer {
  Version?: unknown;
  ApiVersion?: unknown;
  MinAPIVersion?: unknown;
  Components?: unknown;
  Os?: unknown;
  Arch?: unknown;
}

const DOCKER = {
  name: "docker",
  framesTerminals: false,
  losesRotatedLogs: false,
  roundsEventTimes: false,
  resizePause: 0,
  startFailure: /\S/,
  exitCode: ({ ExitCode: code }: ExecAnswer) => code,
} as const;
const PODMAN = {
  name: "podman",
  logsApi: PODMAN_API,
  framesTerminals: true,
  losesRotatedLogs: true,
  roundsEventTimes: true,
  resizePause: 50,
  // Of an exec that is over it tells no process either.
  startFailure: /^Error: [^]*: OCI (?:permission denied|runtime )/,
  // It says 0 from the beginning, and may be removed once it has run.
  exitCode: ({ ExitCode: code, CanRemove: over }: ExecAnswer) => (over ? code : null),
} as const;

/** Throws RuntimeError `unsupported` for an engine that speaks none of our versions. */
export function chooseDialect(answer: VersionAnswer): Dialect {
  const api = chooseApi(answer);
  return isPodman(answer) ? { ...PODMAN, api } : { ...DOCKER, api, logsApi: api };
}

function isPodman({ Components: components }: VersionAnswer): boolean {
  return Array.isArray(components) && components.some((part) => String(part?.Name).startsWith("Podman"));
}

function chooseApi(answer: VersionAnswer): string {
  const newest = minorOf(answer.ApiVersion);
  if (newest === undefined) return "";
  const oldest = minorOf(answer.MinAPIVersion) ?? newest;
  if (newest < OLDEST) throw unsupported(answer, "Update it: Docker 19.03 or Podman 4.0 is new enough.");
  if (oldest > NEWEST) throw unsupported(answer, "Update Fairlead, or use an engine that still speaks an older API.");
  return `/v1.${Math.min(newest, NEWEST)}`;
}

function unsupported(answer: VersionAnswer, advice: string): RuntimeError {
  const engine = `${isPodman(answer) ? "Podman" : "Docker"} ${String(answer.Version)}`;
  const theirs = `API ${String(answer.MinAPIVersion ?? answer.ApiVersion)} to ${String(answer.ApiVersion)}`;
  const words = `The engine (${engine}) speaks ${theirs}; Fairlead speaks 1.${OLDEST} to 1.${NEWEST}. ${advice}`;
  return new RuntimeError("unsupported", words);
}

function minorOf(version: unknown): number | undefined {
  const minor = /^1\.(\d{1,4})$/.exec(String(version))?.[1];
  return minor === undefined ? undefined : Number(minor);
}

/** Podman answers these with status 500; an entry that is just being written is there a moment later. */
const PODMAN_WORDS: readonly [RegExp, RuntimeErrorCode][] = [
  [/container state improper/, "not-running"],
  [/no such container/, "not-found"],
  [/is not a valid container log line/, "engine-unavailable"],
];

/** What a failure without a status of its own means. */
export function codeFromWords(words: string): RuntimeErrorCode {
  return PODMAN_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? "engine-error";
}
