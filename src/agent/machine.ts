/** What the agent serves: the container engine, followed from the start on, and the host itself. */

import type { Registry } from "prom-client";
import type { Log } from "../boot/log.ts";
import { refuseStart } from "../boot/run.ts";
import type { AgentConfig } from "./config.ts";
import { engineHost, engineTls, isExposed } from "./engine-address.ts";
import { watchEngine } from "./engine-watch.ts";
import { meteredRuntime } from "./metrics/runtime.ts";
import { createDockerRuntime } from "./runtime/docker/docker.ts";
import { openHost } from "./runtime/host/host.ts";
import type { Host, Runtime } from "./runtime/runtime.ts";
import type { Containers } from "./session/containers.ts";
import { EventHistory } from "./session/events.ts";
import { StatsSources } from "./session/stats.ts";

interface MachineOptions {
  config: AgentConfig;
  log: Log;
  env: NodeJS.ProcessEnv;
  stopping: AbortSignal;
}

export interface Machine {
  /** The engine's address. */
  engine: string;
  runtime: Runtime;
  containers: Containers;
  stats: StatsSources;
  events: EventHistory;
  host: Host;
  /** Whose a shell on the host is, where there is one. */
  hostShell: string | undefined;
}

/** Waits for no engine. Rejects with a StartError where the configuration asks for what cannot be. */
export async function openMachine(options: MachineOptions, metrics: Registry): Promise<Machine> {
  const { config, log, env, stopping } = options;
  const engine = config.docker_host || engineHost(env);
  const tls = await engineTls(engine, config);
  if (!tls.tls && isExposed(engine))
    log.warn(
      { engine },
      "the engine is reached without TLS: anybody on the way can become root on its host; set docker_cert_path",
    );
  const docker = createDockerRuntime({
    host: engine,
    stateDir: config.data_dir,
    log,
    ...(config.helper_image && { helperImage: config.helper_image }),
    ...tls,
  });
  const runtime = meteredRuntime(docker, metrics);
  const containers = watchEngine({ runtime, engine, node: config.node_name, log, stopping });
  const stats = new StatsSources({ runtime, containers });
  const events = new EventHistory(runtime);
  const host = await openHost({ shell: config.host_shell, user: config.host_shell_user }).catch(refuseStart);
  const hostShell = config.host_shell ? host.user : undefined;
  return { engine, runtime, containers, stats, events, host, hostShell };
}
