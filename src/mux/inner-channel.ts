/** A channel that stays in one program: flow-controlled like any other, with no connection that could be lost. */

import type { Budget } from "./budget.ts";
import { Channel, type OpenRequest } from "./channel.ts";
import { asMuxError } from "./errors.ts";
import { decodeFrame, type Frame } from "./frame.ts";
import { ReceiveWindow } from "./window.ts";

/** There is no second channel to tell it from. */
const ID = 1;
/** As short as a path can be: little needs to be queued to keep it full. */
const PATH = { rtt: 0, shared: true };

export interface InnerChannelOptions {
  budget: Budget;
  /** Is given the other end. */
  accept: (channel: Channel) => void;
}

/** The opener's end. What either says, the request too, is carried in order and never in the middle of a sentence. */
export function openInnerChannel(request: OpenRequest, { budget, accept }: InnerChannelOptions): Channel {
  const end = (other: () => Channel): Channel => {
    const window = new ReceiveWindow(budget, PATH);
    const host = { wake: (channel: Channel) => carrySoon(channel, other()), release() {} };
    return new Channel(ID, request, { host, window });
  };
  const opener = end(() => acceptor);
  const acceptor = end(() => opener);
  queueMicrotask(() => accept(acceptor));
  return opener;
}

function carrySoon(from: Channel, to: Channel): void {
  if (from.queued) return;
  from.queued = true;
  queueMicrotask(() => {
    from.queued = false;
    carry(from, to);
  });
}

/** What is said may come from another program: a violation costs this channel, as it costs a connection where there is one. */
function carry(from: Channel, to: Channel): void {
  try {
    for (let bytes = from.next(); bytes; bytes = from.next()) deliver(decodeFrame(bytes), to);
  } catch (error) {
    const { code, message } = asMuxError(error);
    to.close(code, message);
  }
}

function deliver(frame: Frame, to: Channel): void {
  switch (frame.type) {
    case "data":
      // A copy: the sender uses its frame again as soon as it is acknowledged, the reader may hold the bytes for longer.
      to.receiveMessage(frame.message.slice());
      return;
    case "credit":
      return to.receiveCredit(frame.offset);
    case "ack":
      return to.receiveAck(frame.offset);
    case "reply":
      return to.receiveReply(frame.message);
    case "farewell":
      return to.receiveFarewell(frame.goAway);
    case "close":
      return to.receiveClose({ code: frame.code, reason: frame.reason });
    default:
      throw new Error(`a channel does not say ${frame.type}`);
  }
}
