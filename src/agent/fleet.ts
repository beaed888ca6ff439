/** The agent as a host of a fleet: its phone line to the server, and who comes directly with the server's word. */

import { PassVerifier } from "../auth/pass.ts";
import { readSecretFile } from "../boot/private-file.ts";
import type { Certificate } from "../door/certificate/certificate.ts";
import type { Grant } from "../protocol/rights.ts";
import type { AgentConfig } from "./config.ts";
import { directDoor } from "./direct-door.ts";
import { elsewhere } from "./elsewhere.ts";
import { gatherFacts } from "./facts.ts";
import { ownContainer } from "./runtime/docker/own-image.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { Containers } from "./session/containers.ts";
import { Passes, type PassesParts } from "./session/passes.ts";
import { type SessionsLine, trustedBy } from "./sessions-line.ts";
import type { StatsSources } from "./session/stats.ts";
import type { Identity } from "./uplink/identity.ts";
import { Uplink, type UplinkLog } from "./uplink/uplink.ts";

/** For the engine to measure all containers, in milliseconds. */
const STATS_MS = 8_000;
/** The server hears of all containers; whom it tells is its business. */
const EVERYTHING: Grant = { subject: "uplink", rights: ["admin"], scopes: [] };

interface FleetParts {
  identity: Identity;
  runtime: Runtime;
  containers: Containers;
  stats: StatsSources;
  certificate: Certificate | undefined;
  /** Whose a shell on the host is, where there is one. */
  hostShell: string | undefined;
  /** What carries sessions, once it is there. */
  line: () => Pick<SessionsLine, "start" | "status"> | undefined;
}

/** Calls nobody before it is started. */
export function openUplink(
  { config, log, version }: { config: AgentConfig; log: UplinkLog; version: string },
  { identity, runtime, containers, stats, certificate, hostShell, line }: FleetParts,
): Uplink {
  const { server_url: url, node_name: name, mode, heartbeat_interval: heartbeatInterval, data_dir: path } = config;
  return new Uplink({
    url,
    identity,
    path,
    contained: ownContainer() !== undefined,
    log,
    token: () => bootstrapToken(config),
    facts: (own) =>
      gatherFacts({
        runtime,
        name,
        mode,
        version,
        hostShell,
        heartbeatInterval,
        door: elsewhere(config, own, certificate?.pin),
      }),
    door: (own) => directDoor(config, { url: own, pin: certificate?.pin }),
    containers: () => stats.once({ grant: EVERYTHING }, AbortSignal.timeout(STATS_MS)),
    gateway: () => line()?.status ?? {},
    // It signs with the epoch that a registration gives.
    settled: () => line()?.start(),
    engine: () => ({ engineReady: containers.ready, containersRunning: containers.running }),
  });
}

/** `pin`: of this agent's certificate, as it is now. */
export function openPasses(
  identity: Identity,
  { sessions, pin }: Pick<PassesParts, "sessions"> & { pin: () => string | undefined },
): Passes {
  return new Passes({ sessions, verifier: new PassVerifier({ trusted: () => trustedBy(identity), pin }) });
}

/** The file is read each time: an operator may have put another token into it. */
async function bootstrapToken({ token, token_file: file }: AgentConfig): Promise<string | undefined> {
  return file === "" ? token?.reveal() : readSecretFile(file);
}
