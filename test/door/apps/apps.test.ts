/** What one person opens is no other's loss: addresses that are given away, invitations, and apps that are open. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import type { Subject } from "../../../src/auth/grant.ts";
import { Addresses, type Port } from "../../../src/door/apps/addresses.ts";
import { Apps } from "../../../src/door/apps/apps.ts";
import { APP_LIMITS, type AppSession } from "../../../src/door/apps/desk.ts";
import { until } from "../../support/until.ts";

const FROM = { host: "localhost:9090", origin: undefined };
const WEB: Port = { container: "web", port: 80 };
const anna = subject("anna");
const mallory = subject("mallory");

suite("apps", () => {
  test("have an address that is known while one is open there, whatever else is opened", async () => {
    using rig = new Rig();
    const cookie = await rig.open(anna, WEB);
    rig.inviteMany(5_000);
    assert.ok(rig.knows(WEB));
    rig.end();
    await until("the app's end", () => !rig.find(cookie));
    assert.ok(rig.knows(WEB), "whoever comes back is told how to open it again");
    rig.inviteMany(5_000);
    assert.ok(!rig.knows(WEB));
  });

  test("are kept from nobody by one who asks for many addresses: his own oldest is forgotten", async () => {
    using rig = new Rig();
    const first = rig.invite(mallory, WEB);
    const hers = rig.invite(anna, WEB);
    const second = rig.invite(mallory, WEB);
    for (let i = 0; i < 63; i++) rig.invite(mallory, WEB);
    await assert.rejects(rig.redeem(first), { code: "unauthenticated" });
    await rig.redeem(hers);
    await rig.redeem(second);
  });

  test("end with the oldest first where one person has too many open", async () => {
    using rig = new Rig();
    const hers = await rig.open(anna, WEB);
    const first = await rig.open(mallory, WEB);
    const second = await rig.open(mallory, WEB);
    for (let i = 0; i < 255; i++) await rig.open(mallory, WEB);
    await until("the end of the first", () => !rig.find(first));
    assert.ok(rig.find(hers) && rig.find(second));
  });
});

/** Apps of a desk that opens whatever is wanted. */
class Rig implements Disposable {
  readonly #addresses = new Addresses({ program: "box", secure: false, appsUrl: undefined });
  readonly #sessions = new Set<AbortController>();
  readonly #apps = new Apps({
    desk: { open: async () => this.#session() },
    addresses: this.#addresses,
    limits: APP_LIMITS,
  });

  invite(subject: Subject, port: Port): URL {
    return new URL(this.#apps.invite({ ...port, identity: { subject } }, FROM).url);
  }

  /** So many addresses of another container. */
  inviteMany(count: number): void {
    for (let port = 1; port <= count; port++) this.invite(mallory, { container: "other", port });
  }

  /** The cookie's value. */
  async redeem({ host, searchParams }: URL): Promise<string> {
    const remote = { address: "127.0.0.1", door: "http" };
    const visit = { remote, signal: new AbortController().signal };
    const cookie = await this.#apps.redeem(searchParams.get("code") ?? "", this.#hostOf(host), visit);
    return /=([^;]+)/.exec(cookie)?.[1] ?? "";
  }

  async open(subject: Subject, port: Port): Promise<string> {
    return await this.redeem(this.invite(subject, port));
  }

  knows(port: Port): boolean {
    return this.#apps.knows(this.#hostOf(`${this.#addresses.labelOf(port)}.${FROM.host}`));
  }

  find(cookie: string) {
    return this.#apps.find(cookie, this.#hostOf(`${this.#addresses.labelOf(WEB)}.${FROM.host}`));
  }

  /** Ends every session. */
  end(): void {
    for (const session of this.#sessions) session.abort();
  }

  [Symbol.dispose](): void {
    this.#apps.close();
  }

  #hostOf(host: string) {
    const found = this.#addresses.parse(host);
    assert.ok(found, host);
    return found;
  }

  #session(): AppSession {
    const over = new AbortController();
    this.#sessions.add(over);
    const ended = once(over.signal, "abort").then(() => {});
    const connect = () => Promise.reject(new Error("nobody asks for anything"));
    return { container: { id: "1".repeat(64), name: "web" }, ended, connect, close: () => over.abort() };
  }
}

function subject(name: string): Subject {
  return { grant: { subject: name, rights: [], scopes: [] }, revoked: new AbortController().signal };
}
