/** The peer of the HTTP proxy: nginx as a reverse proxy that keeps its connections, with files that live as long as the run. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Running } from "../command.ts";
import { freePort } from "../../support/free-port.ts";
import { provide } from "../machine.ts";
import { dial } from "../probes/echo.ts";
import { until } from "../../support/until.ts";

export class Nginx implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #daemon: Running;

  private constructor(port: number, directory: string, daemon: Running) {
    this.port = port;
    this.#directory = directory;
    this.#daemon = daemon;
  }

  /** Resolves once it answers. */
  static async start(target: string): Promise<Nginx> {
    const nginx = await provide("nginx");
    const directory = await mkdtemp(join(tmpdir(), "fairlead-bench-nginx-"));
    const port = await freePort();
    await writeFile(join(directory, "nginx.conf"), configuration({ directory, port, target }));
    const daemon = new Running({ file: nginx, args: ["-p", directory, "-c", join(directory, "nginx.conf")] });
    await until("nginx to listen", () =>
      dial(port).then(
        (socket) => socket.destroy(),
        () => undefined,
      ),
    );
    return new Nginx(port, directory, daemon);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function configuration({ directory, port, target }: { directory: string; port: number; target: string }): string {
  const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `  ${kind}_temp_path ${directory}/${kind};\n`,
  );
  return `daemon off;
worker_processes auto;
pid ${directory}/pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
${bodies.join("")}  keepalive_requests 1000000;
  upstream app { server ${target}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;
}
