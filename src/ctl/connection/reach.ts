/** Finds the address at which an agent itself answers, and nobody else: nothing is sent before its certificate was looked at. */

import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { giveUpAfter } from "../../net/give-up.ts";
import { handshake } from "../../net/handshake.ts";
import type { DirectDoor } from "../../protocol/node.ts";
import { pinOf } from "./secure.ts";

/** For an address to answer at all, in milliseconds: what a firewall swallows costs no more. */
const CONNECT_MS = 700;
/** For TLS, once it has answered, in milliseconds. */
const HANDSHAKE_MS = 3_000;
/** Of the addresses that an agent names, so many are tried, all at once. */
const MAX_TRIED = 4;
/** Whoever answers there is this machine. */
const OWN = /^(localhost|127\.|\[::1\]|0\.0\.0\.0|\[::\])/;

/** Somebody else answers where the agent should. */
export class WrongPin extends Error {
  override readonly name = "WrongPin";
}

interface Reached {
  address: string;
  wire: TLSSocket;
}

/** The first to answer. Rejects with words that go after a "because": a WrongPin where there was one. */
export async function reach({ addresses, pin }: DirectDoor, signal: AbortSignal): Promise<Reached> {
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, signal]);
  const tried = addresses.filter((address) => !OWN.test(address)).slice(0, MAX_TRIED);
  if (tried.length === 0) throw new Error("its agent names no address of its own");
  const attempts = tried.map((address) => connectTo(address, { pin, ended }));
  try {
    const first = await Promise.any(attempts);
    for (const each of attempts)
      each.then(
        ({ wire }) => wire !== first.wire && wire.destroy(),
        () => {},
      );
    return first;
  } catch (error) {
    const causes = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    throw causes.find((cause) => cause instanceof WrongPin) ?? causes[0];
  } finally {
    over.abort();
  }
}

/** TLS 1.3, to which the proof of a pass is bound. */
async function connectTo(address: string, { pin, ended }: { pin: string; ended: AbortSignal }): Promise<Reached> {
  const url = new URL(`https://${address}`);
  const socket = await arrive(url, ended);
  const wire = await within(HANDSHAKE_MS, { socket, ended }, () =>
    handshake(url, { socket, minVersion: "TLSv1.3" }),
  ).catch((cause: unknown) => {
    throw new Error(`${address} does not speak TLS as an agent does`, { cause });
  });
  const found = pinOf(wire);
  if (found === pin) return { address, wire };
  wire.destroy();
  throw new WrongPin(`${address} is not the agent that it should be: its key has the pin ${found}, not ${pin}`);
}

function arrive({ hostname, port, host }: URL, ended: AbortSignal): Promise<Socket> {
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443), noDelay: true });
  return within(CONNECT_MS, { socket, ended }, () => {
    return new Promise<Socket>((resolve, reject) => {
      socket.once("connect", () => resolve(socket));
      socket.once("error", (cause) => reject(new Error(`${host} cannot be reached (${cause.message})`, { cause })));
      socket.once("close", () => reject(new Error(`${host} does not answer`)));
    });
  });
}

/** Destroys the socket, which ends the work, when the time is over or nobody waits any more. */
async function within<T>(
  ms: number,
  { socket, ended }: { socket: Socket; ended: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const giveUp = () => socket.destroy();
  const callOff = giveUpAfter(ms, giveUp);
  ended.addEventListener("abort", giveUp, { once: true });
  try {
    return await work();
  } finally {
    callOff();
    ended.removeEventListener("abort", giveUp);
  }
}
