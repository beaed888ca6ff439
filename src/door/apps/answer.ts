/** An app's answer to a request without a body, which most are: passed on as it comes, and as fast as its browser takes it. */

import type { Dispatcher } from "undici";
import type { FairleadError } from "../../protocol/errors.ts";
import { type HeaderList, type Headers, phraseOf, trailersOf } from "./headers.ts";
import type { Line } from "./line.ts";
import type { Pool } from "./pool.ts";
import { badAnswer, type Exchange, noAnswer, refuse, toldOf } from "./refusal.ts";

/** What may be asked a second time when a kept connection turns out to be closed: it changes nothing. */
const REPEATABLE = ["GET", "HEAD"];
/** How a connection ends that the app closed just when it was asked. */
const CLOSED = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];

type Controller = Dispatcher.DispatchController;

export interface AnswerParts {
  pool: Pool;
  /** What the app is to see. */
  headers: HeaderList;
  /** How long the app may take to begin, in milliseconds. */
  answerMs: number;
  /** What of the answer's headers the client is to see. */
  told: (headers: Headers) => HeaderList;
}

export class Answer implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #parts: AnswerParts;
  #line: Line | undefined;
  #tries = 0;
  #hasBegun = false;
  #hasBody = false;

  private constructor(exchange: Exchange, parts: AnswerParts) {
    this.#exchange = exchange;
    this.#parts = parts;
  }

  /** Asks as soon as there is a line, and answers, whatever happens. */
  static begin(exchange: Exchange, parts: AnswerParts): void {
    const answer = new Answer(exchange, parts);
    const callOff = parts.pool.take((line) => answer.#ask(line));
    exchange.response.on("close", () => {
      callOff();
      answer.#line?.cut();
    });
  }

  #ask(line: Line): void {
    const { method = "", url: path = "/" } = this.#exchange.request;
    this.#line = line;
    this.#tries += 1;
    line.ask({ method, path, headers: this.#parts.headers }, this);
  }

  onRequestStart(controller: Controller): void {
    if (this.#exchange.response.destroyed) controller.abort(new Error("the client has gone"));
  }

  onResponseStarted(): void {
    this.#hasBegun = true;
  }

  onResponseStart(_controller: Controller, status: number, headers: Headers): void {
    if (status < 100) throw badAnswer(`its status is ${status}`);
    // What may come before the answer itself is for nobody.
    if (status < 200) return;
    this.#exchange.response.writeHead(status, phraseOf(status), this.#parts.told(headers));
    queueMicrotask(() => this.#tellHead());
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    const { response } = this.#exchange;
    this.#hasBody = true;
    if (response.write(chunk)) return;
    controller.pause();
    response.once("drain", () => controller.resume());
  }

  onResponseEnd(_controller: Controller, trailers: Headers): void {
    const { response } = this.#exchange;
    // Where the end of the connection is that of the answer, a broken one ends nothing.
    if (this.#line?.isBroken) response.destroy();
    if (response.chunkedEncoding) response.addTrailers(trailersOf(trailers));
    response.end();
    this.#leave();
  }

  /** Asks again, or tells the client. Never throws: nobody would hear it. */
  onResponseError(_controller: Controller, error: Error): void {
    const { response } = this.#exchange;
    const line = this.#line;
    if (line && this.#mayRepeat(line, error)) return queueMicrotask(() => this.#ask(line));
    this.#leave();
    if (response.headersSent || response.destroyed) response.destroy();
    else refuse(this.#exchange, this.#toldOf(error));
  }

  /** What came with the head goes with it; nothing else is waited for, which may be long in coming. */
  #tellHead(): void {
    const { response } = this.#exchange;
    if (!this.#hasBody && !response.writableEnded && !response.destroyed) response.flushHeaders();
  }

  /** Not at once: the line has not done with this request yet. */
  #leave(): void {
    const line = this.#line;
    this.#line = undefined;
    if (line) queueMicrotask(() => this.#parts.pool.giveBack(line));
  }

  /** A kept connection that the app closed just when it was asked: it has seen nothing of the request. */
  #mayRepeat({ isNew }: Line, { code = "" }: NodeJS.ErrnoException): boolean {
    const { request, response } = this.#exchange;
    const isUnheard = !isNew && !this.#hasBegun && this.#tries === 1 && CLOSED.includes(code);
    return isUnheard && !response.destroyed && REPEATABLE.includes(request.method ?? "");
  }

  #toldOf(error: NodeJS.ErrnoException): FairleadError {
    return error.code === "UND_ERR_HEADERS_TIMEOUT" ? noAnswer(this.#parts.answerMs) : toldOf(error);
  }
}
