/** Who this host is to its server: a key that was made here and never leaves, and what the server said. Written down before it is used. */

import * as z from "zod/mini";
import { newKey, type SigningKey, signingKey } from "../../auth/keys.ts";
import type { Signer } from "../../auth/signature.ts";
import type { RegisterReply } from "../../protocol/fleet.ts";

/** In the state directory, mode 0600. */
export const IDENTITY_FILE = "identity.json";

const Stored = z.strictObject({
  /** Private keys as PKCS #8 in PEM. */
  key: z.string(),
  /** The one that is to follow it, until the server has confirmed that. */
  next: z.optional(z.string()),
  /** When the key was made, in milliseconds since 1970. */
  made: z.number(),
  /** Of the server's certificate. */
  pin: z.optional(z.string()),
  /** Absent before the first registration. */
  registered: z.optional(
    z.object({ name: z.string(), uid: z.string(), epoch: z.int(), grantKey: z.optional(z.string()) }),
  ),
});
type Stored = z.infer<typeof Stored>;

/** A program's private files. */
export interface StateFiles {
  readonly path: string;
  read(name: string): Promise<string | undefined>;
  replace(name: string, data: string): Promise<void>;
}

export class Identity {
  readonly #files: StateFiles;
  #stored: Stored;
  #key: SigningKey;
  #turn: Promise<void> = Promise.resolve();
  /** While a token is tried: the pin that it carries. */
  #trial: { pin: string | undefined } | undefined;

  /** Makes a key where there is none. Throws, with what to do, for a damaged file: another identity is the operator's decision. */
  static async open(files: StateFiles, now: number = Date.now()): Promise<Identity> {
    const text = await files.read(IDENTITY_FILE);
    if (text !== undefined) return understand(files, text);
    const identity = new Identity(files, { key: newKey().pem, made: now });
    await identity.#save((stored) => stored);
    return identity;
  }

  constructor(files: StateFiles, stored: Stored) {
    this.#files = files;
    this.#stored = stored;
    this.#key = signingKey(stored.key);
  }

  get key(): SigningKey {
    return this.#key;
  }

  get pin(): string | undefined {
    return this.#trial ? this.#trial.pin : this.#stored.pin;
  }

  /** By which the server's word is known; while a token is tried there is no such server. */
  get serverKey(): string | undefined {
    return this.#trial ? undefined : this.#stored.registered?.grantKey;
  }

  /** As the server knows this host. */
  get registered(): Stored["registered"] {
    return this.#stored.registered;
  }

  /** Milliseconds since 1970. */
  get keyMade(): number {
    return this.#stored.made;
  }

  /** What signs requests; absent before the first registration. */
  get signer(): Signer | undefined {
    const { registered } = this.#stored;
    if (!registered) return undefined;
    const { name, uid, epoch } = registered;
    return { keyName: `${name}/${uid}/${this.#key.id}`, key: this.#key, epoch };
  }

  /** Whether what the server says could be written down now. */
  async isWritable(): Promise<boolean> {
    return this.#save((stored) => stored).then(
      () => true,
      () => false,
    );
  }

  /** Calls the server that a token belongs to. What was known of it, or of another, is kept until that has worked. */
  async trying(pin: string | undefined, work: () => Promise<RegisterReply>): Promise<RegisterReply> {
    this.#trial = { pin };
    try {
      const reply = await work();
      await this.#save((stored) => ({ ...stored, pin, registered: membership(reply) }));
      return reply;
    } finally {
      this.#trial = undefined;
    }
  }

  /** The server has another certificate, with this pin. */
  adopt(pin: string): Promise<void> {
    return this.#save((stored) => ({ ...stored, pin }));
  }

  keep(reply: RegisterReply): Promise<void> {
    return this.#save((stored) => ({ ...stored, registered: membership(reply) }));
  }

  /** A key to follow this one: the same until it has. */
  async nextKey(): Promise<SigningKey> {
    const next = this.#stored.next ?? newKey().pem;
    await this.#save((stored) => ({ ...stored, next }));
    return signingKey(next);
  }

  /** The server knows it. */
  async changeKey(next: SigningKey, now: number = Date.now()): Promise<void> {
    await this.#save((stored) => ({ ...stored, key: next.pem, made: now, next: undefined }));
    this.#key = next;
  }

  /** Memory follows the disk, never the other way round; one change after the other. */
  async #save(change: (stored: Stored) => Stored): Promise<void> {
    const saved = this.#turn.then(async () => {
      const stored = change(this.#stored);
      await this.#files.replace(IDENTITY_FILE, `${JSON.stringify(stored, undefined, 2)}\n`);
      this.#stored = stored;
    });
    this.#turn = saved.catch(() => {});
    await saved;
  }
}

/** What is kept of it. */
function membership({ name, uid, epoch, grantKey }: RegisterReply): Stored["registered"] {
  return { name, uid, epoch, grantKey };
}

function understand(files: StateFiles, text: string): Identity {
  try {
    return new Identity(files, Stored.parse(JSON.parse(text)));
  } catch (cause) {
    const words = `${files.path}/${IDENTITY_FILE} is damaged; put a copy back, or remove it and register again (ctl nodes remove, then add)`;
    throw new Error(words, { cause });
  }
}
