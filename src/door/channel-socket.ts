/** A channel as HTTP clients know their sockets: kept for the next request, and given up when it is idle. */

import type { Channel } from "../mux/channel.ts";
import { CLOSE, type CloseInfo } from "../mux/errors.ts";
import { ChannelStream } from "./channel-stream.ts";

export class ChannelSocket extends ChannelStream {
  /** Milliseconds in which nothing moves until it says `timeout`; 0: for ever. */
  timeout = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(channel: Channel) {
    super(channel);
    this.once("close", () => clearTimeout(this.#timer));
  }

  override setTimeout(ms = 0): this {
    clearTimeout(this.#timer);
    this.timeout = ms;
    this.#timer = ms > 0 ? setTimeout(() => this.emit("timeout"), ms).unref() : undefined;
    return this;
  }

  /** Once what was written has left. */
  destroySoon(): void {
    this.end(() => this.destroy());
  }

  /** The connection under the channel looks after itself. */
  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  protected override moved(): void {
    this.#timer?.refresh();
  }

  /** What is at the far end broke off as any socket does; unless it was the way there that was lost. */
  protected override lost(info: CloseInfo): Error {
    if (info.code === CLOSE.cut) return super.lost(info);
    return Object.assign(new Error(info.reason), { code: "ECONNRESET" });
  }
}
