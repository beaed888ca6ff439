/** A private engine that also listens on TCP, where only clients with a certificate of its authority get in. */

import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Engine, startEngine } from "./engine.ts";
import { freePort } from "./free-port.ts";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];

export interface TlsEngine {
  engine: Engine;
  /** `tcp://127.0.0.1:port`. */
  tcp: string;
  authority: Authority;
  /** As DOCKER_CERT_PATH names it: ca.pem, cert.pem, key.pem. */
  clientDirectory: string;
  close(): Promise<void>;
}

export async function startTlsEngine(): Promise<TlsEngine> {
  const authority = await Authority.make();
  const [server, clientDirectory, port] = await Promise.all([authority.issue(), authority.issue(), freePort()]);
  const tcp = `tcp://127.0.0.1:${port}`;
  const files = [`--tlscacert=${server}/ca.pem`, `--tlscert=${server}/cert.pem`, `--tlskey=${server}/key.pem`];
  const engine = await startEngine([`--host=${tcp}`, "--tlsverify", ...files]);
  const close = async () => {
    await engine.remove();
    await authority.close();
  };
  return { engine, tcp, authority, clientDirectory, close };
}

/** Signs certificates that are good for both sides at 127.0.0.1. */
export class Authority {
  readonly #directory: string;
  #issued = 0;

  static async make(): Promise<Authority> {
    const authority = new Authority(await mkdtemp(join(tmpdir(), "fl-authority-")));
    await authority.#openssl("req", "-x509", ...NEW_KEY, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem");
    return authority;
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** A directory with ca.pem, cert.pem and key.pem. */
  async issue(names = "IP:127.0.0.1"): Promise<string> {
    const name = `issued-${++this.#issued}`;
    const directory = join(this.#directory, name);
    await mkdir(directory);
    const wish = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`];
    await this.#openssl("req", ...NEW_KEY, ...wish, "-keyout", `${name}/key.pem`, "-out", `${name}/request.pem`);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAserial", `${name}/serial`, "-CAcreateserial"];
    const copied = ["-copy_extensions", "copy", "-days", "2"];
    await this.#openssl(
      "x509",
      "-req",
      "-in",
      `${name}/request.pem`,
      ...signing,
      ...copied,
      "-out",
      `${name}/cert.pem`,
    );
    await copyFile(join(this.#directory, "ca.pem"), join(directory, "ca.pem"));
    return directory;
  }

  close(): Promise<void> {
    return rm(this.#directory, { recursive: true });
  }

  async #openssl(...args: string[]): Promise<void> {
    await promisify(execFile)("openssl", args, { cwd: this.#directory });
  }
}
