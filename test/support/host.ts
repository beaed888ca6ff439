/** An agent as the server sees it: real keys, real signatures, no engine. A test can make it lie. */

import { newKey, type SigningKey, signingKey } from "../../src/auth/keys.ts";
import { signatureHeaders } from "../../src/auth/signature.ts";
import { Problem } from "../../src/protocol/errors.ts";
import {
  BEAT_PATH,
  BOOTSTRAP_PATH,
  BOOTSTRAP_SCHEME,
  KEY_PATH,
  keyProof,
  REGISTER_PATH,
  RegisterReply,
} from "../../src/protocol/fleet.ts";
import type { Beat, NodeFacts } from "../../src/protocol/node.ts";

export interface Answer {
  status: number;
  /** Of a problem. */
  code: string | undefined;
  detail: string;
  body: unknown;
}

export const FACTS: NodeFacts = {
  name: "box",
  hostname: "box.example",
  platform: "linux",
  arch: "x64",
  cpuCount: 4,
  memoryTotal: 8_000_000_000,
  containerEngines: ["docker"],
  agentVersion: "1.2.3",
  mode: "byom",
  machineId: "0123456789abcdef",
};

export const BEAT: Beat = {
  cpuUsage: 12.5,
  memoryTotal: 8_000_000_000,
  memoryFree: 3_000_000_000,
  engineReady: true,
  containersRunning: 2,
};

export class TestHost {
  readonly url: string;
  key: SigningKey = newKey();
  name = "";
  uid = "";
  epoch = 0;

  constructor(url: string) {
    this.url = url;
  }

  /** Another host with everything that this one has. */
  clone(): TestHost {
    const copy = new TestHost(this.url);
    return Object.assign(copy, { key: signingKey(this.key.pem), name: this.name, uid: this.uid, epoch: this.epoch });
  }

  /** Keeps what it is told, unless the answer is to be lost. */
  async bootstrap(token: string, facts: Partial<NodeFacts> = {}): Promise<Answer> {
    const { publicKey } = this.key;
    const proof = this.key.sign(keyProof(token, publicKey));
    const body = JSON.stringify({ publicKey, proof, facts: { ...FACTS, ...facts } });
    const headers = { authorization: `${BOOTSTRAP_SCHEME} ${token}`, "content-type": "application/json" };
    return this.#keep(await this.send(BOOTSTRAP_PATH, { headers, body }));
  }

  async register(facts: Partial<NodeFacts> = {}): Promise<Answer> {
    return this.#keep(await this.signed(REGISTER_PATH, { facts: { ...FACTS, ...facts } }));
  }

  beat(beat: Partial<Beat> = {}): Promise<Answer> {
    return this.signed(BEAT_PATH, { ...BEAT, ...beat });
  }

  /** Asks for a place for another key; uses it from now on. */
  async changeKey(): Promise<Answer> {
    const next = newKey();
    const { publicKey } = next;
    const answer = await this.signed(KEY_PATH, { publicKey, proof: next.sign(keyProof(this.uid, publicKey)) });
    if (answer.status === 204) this.key = next;
    return answer;
  }

  signed(path: string, body: object, now = Date.now()): Promise<Answer> {
    const text = JSON.stringify(body);
    return this.send(path, { headers: this.headers(path, text, now), body: text });
  }

  headers(path: string, body: string, now = Date.now()): Record<string, string> {
    const { key, epoch } = this;
    const keyName = `${this.name}/${this.uid}/${key.id}`;
    const signature = signatureHeaders({ method: "POST", target: path, body }, { keyName, key, epoch }, now);
    return { ...signature, "content-type": "application/json" };
  }

  async send(path: string, init: { headers: Record<string, string>; body: string }): Promise<Answer> {
    const answer = await fetch(this.url + path, { method: "POST", ...init });
    const text = await answer.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const problem = Problem.safeParse(body);
    const { code, detail = "" } = problem.success && answer.status >= 400 ? problem.data : { code: undefined };
    return { status: answer.status, code, detail, body };
  }

  #keep(answer: Answer): Answer {
    const told = RegisterReply.safeParse(answer.body);
    if (told.success) Object.assign(this, { name: told.data.name, uid: told.data.uid, epoch: told.data.epoch });
    return answer;
  }
}
