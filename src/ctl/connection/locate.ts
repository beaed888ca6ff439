/** Decides which server to talk to and with which token: flags before environment before the server logged in to, settings and this machine's own agent. */

import { existsSync } from "node:fs";
import { readSecretFile } from "../../boot/private-file.ts";
import { parsePin } from "../../lib/pin.ts";
import { Secret } from "../../lib/secret.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { Failure, UsageError } from "../failure.ts";
import { chosenContext, LOCAL } from "./contexts.ts";
import { knownPin, pinsFile } from "./pins.ts";
import { findLocalAgent, type LocalAgent, readSettings, type Settings } from "./places.ts";

export interface Wanted {
  server?: string;
  context?: string;
  token?: string;
  tokenFile?: string;
  pin?: string;
  insecurePlaintext?: boolean;
  /** False: agents are reached through their server, also where they could be dialled. */
  direct?: boolean;
}

export interface Server {
  url: URL;
  /** Of this machine's own agent: its door without TCP. */
  socket?: string;
  token: Secret;
  /** What its key must be; absent, an authority has to vouch for it. */
  pin?: Found<string>;
  /** Asked about a server without a pin that no authority vouches for; true: its pin is good from now on. */
  introduce?: (stranger: Stranger) => Promise<boolean>;
  /** Where each was found, for -v and for errors. */
  urlFrom: string;
  tokenFrom: string;
}

/** A server that nobody vouches for. */
export interface Stranger {
  /** `https://host:port`. */
  origin: string;
  /** Of the key that it has. */
  pin: string;
  why: string;
}

interface Found<T> {
  value: T;
  from: string;
}

/** Throws with what to do when there is no server, no token for it, or no safe way to send it. */
export async function locate(wanted: Wanted, env: NodeJS.ProcessEnv): Promise<Server> {
  const settings = await settingsFor(wanted, env);
  const named =
    foundIn(wanted.server, "--server") ??
    (wanted.context ? undefined : foundIn(env["FAIRLEAD_SERVER"], "FAIRLEAD_SERVER"));
  const local = await findLocalAgent(env);
  const address = named ?? foundIn(settings?.server, settings?.path) ?? foundIn(local?.url, local?.path);
  if (!address)
    throw new FairleadError(
      "unreachable",
      "No agent of this user runs on this machine and no server is named. Start one with `npm start`, or name one with --server or FAIRLEAD_SERVER.",
    );
  const url = parseServer(address, local);
  const kept = settings && isMeant(settings, url) && settings.insecure_plaintext;
  checkPlain(url, wanted.insecurePlaintext || env["FAIRLEAD_INSECURE_PLAINTEXT"] === "1" || kept);
  const sources = { wanted, env, settings, local, url };
  const token = await findToken(sources);
  const pin = await findPin(sources);
  const socket = localSocket(sources, pin);
  const found = { url, token: new Secret(token.value), urlFrom: address.from, tokenFrom: token.from };
  return { ...found, ...(pin && { pin }), ...(socket && { socket }) };
}

/** Throws what the first use of a server that is to be kept would: a mistake is better told where it is made. */
export function checkKept({ server = "", pin, insecurePlaintext }: Wanted): void {
  const url = parseServer({ value: server, from: "--server" }, undefined);
  checkPlain(url, insecurePlaintext);
  understoodPin(url, foundIn(pin, "--pin"));
}

function checkPlain(url: URL, allowed: boolean | undefined): void {
  if (url.protocol !== "http:" || isLoopback(url) || allowed) return;
  throw new Failure(
    `${url.origin} is not encrypted: anybody on the way could read the token and what you type. Use https, or --insecure-plaintext if you trust the network.`,
  );
}

/** The context that is named or in use; else, unless this machine's agent was named, the settings of before there were any. */
async function settingsFor(wanted: Wanted, env: NodeJS.ProcessEnv): Promise<Settings | undefined> {
  if (wanted.context && wanted.server)
    throw new UsageError("--server and --context each name a server. Leave one of them out.");
  const name = wanted.context || env["FAIRLEAD_CONTEXT"] || undefined;
  return (await chosenContext(env, name)) ?? (name === LOCAL ? undefined : readSettings(env));
}

/** No key is shown at the socket file, so not where somebody asked for a certain one. */
function localSocket({ local, url }: Sources, pin: Found<string> | undefined): string | undefined {
  if (!local?.socket || !sameServer(parseUrl(local.url), url)) return undefined;
  if (pin && pin.from !== local.path) return undefined;
  return existsSync(local.socket) ? local.socket : undefined;
}

interface Sources {
  wanted: Wanted;
  env: NodeJS.ProcessEnv;
  settings: Settings | undefined;
  local: LocalAgent | undefined;
  url: URL;
}

/** A token kept for one server is never sent to another. */
async function findToken({ wanted, env, settings, local, url }: Sources): Promise<Found<string>> {
  const file = async (path: string, from: string) => ({ value: await readSecretFile(path), from: `${from} (${path})` });
  const { FAIRLEAD_TOKEN: token, FAIRLEAD_TOKEN_FILE: tokenFile } = env;
  if (wanted.token) return { value: wanted.token, from: "--token" };
  if (wanted.tokenFile) return file(wanted.tokenFile, "--token-file");
  if (token) return { value: token, from: "FAIRLEAD_TOKEN" };
  if (tokenFile) return file(tokenFile, "FAIRLEAD_TOKEN_FILE");
  if (settings && isMeant(settings, url)) {
    if (settings.token) return { value: settings.token, from: settings.path };
    if (settings.token_file) return file(settings.token_file, settings.path);
  }
  if (local && sameServer(parseUrl(local.url), url))
    return { value: await local.readToken(), from: "the agent's own state" };
  throw new FairleadError(
    "unauthenticated",
    `There is no token for ${url.origin}. Give one with --token-file or FAIRLEAD_TOKEN_FILE.`,
  );
}

/** A pin kept for one server says nothing about another; one on the command line or in the environment is about any. */
async function findPin({ wanted, env, settings, local, url }: Sources): Promise<Found<string> | undefined> {
  const given = foundIn(wanted.pin, "--pin") ?? foundIn(env["FAIRLEAD_PIN"], "FAIRLEAD_PIN");
  const kept = settings && isMeant(settings, url) ? foundIn(settings.pin, settings.path) : undefined;
  const own = local && sameServer(parseUrl(local.url), url) ? foundIn(local.pin, local.path) : undefined;
  const named = given ?? kept;
  if (named || url.protocol === "http:") return understoodPin(url, named);
  return understoodPin(url, own ?? foundIn(await knownPin(env, url.origin), pinsFile(env)));
}

function understoodPin(url: URL, found: Found<string> | undefined): Found<string> | undefined {
  if (!found) return undefined;
  const { value, from } = found;
  if (url.protocol === "http:")
    throw new UsageError(
      `${url.origin} has no key to compare with the pin (${from}). Write https, or leave the pin out.`,
    );
  const pin = parsePin(value);
  if (!pin) throw new UsageError(`"${value}" (${from}) is no pin. Write sha256: and 64 hexadecimal digits.`);
  return { value: pin, from };
}

function isMeant(settings: Settings, url: URL): boolean {
  return !settings.server || sameServer(parseUrl(settings.server), url);
}

/** Undefined where that place names nothing. */
function foundIn(value: string | undefined, from = ""): Found<string> | undefined {
  return value ? { value, from } : undefined;
}

/** Where this machine's own agent serves TLS, its address without a scheme means that too. */
function parseServer({ value, from }: Found<string>, local: LocalAgent | undefined): URL {
  const url = parseUrl(value);
  const own = local && parseUrl(local.url);
  if (url && own && !value.includes("://") && sameServer(own, url)) url.protocol = own.protocol;
  if (url && (url.protocol === "http:" || url.protocol === "https:") && !url.username && !url.password) return url;
  throw new UsageError(`"${value}" (${from}) is not the address of a server. Write it as https://host:port.`);
}

/** `host:port` will do: this machine speaks http, everything else https. */
function parseUrl(text: string): URL | undefined {
  if (text.includes("://")) return URL.parse(text) ?? undefined;
  const url = URL.parse(`https://${text}`) ?? undefined;
  return url && isLoopback(url) ? (URL.parse(`http://${text}`) ?? undefined) : url;
}

export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** The names of this machine's loopback are one. */
function sameServer(one: URL | undefined, other: URL): boolean {
  if (!one) return false;
  return one.origin === other.origin || (one.port === other.port && isLoopback(one) && isLoopback(other));
}
