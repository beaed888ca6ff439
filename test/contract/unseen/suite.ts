/** Started where no process of the engine's can be seen, by unseen.test.ts, which says where the engine is. */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { createDockerRuntime } from "../../../src/agent/runtime/docker/docker.ts";
import { dockerCli, dockerClient } from "../../support/docker-client.ts";
import { GUEST_IMAGE as IMAGE } from "../../support/guest-image.ts";
import { printTable, Rig } from "../rig.ts";
import { silent } from "../silent.ts";
import { dialContract } from "../verbs/dial.ts";
import { guestContract } from "./guest.ts";

const { UNSEEN_SOCKET: socket = "", UNSEEN_TCP: tcp = "", UNSEEN_TLS: files = "" } = process.env;
const SERVERS = dirname(fileURLToPath(new URL("../port-server.ts", import.meta.url)));

const [ca, cert, key] = await Promise.all(["ca", "cert", "key"].map((name) => readFile(join(files, `${name}.pem`))));
if (!ca || !cert || !key) throw new Error(`${files} lacks a file`);
const engine = dockerClient(socket);
/** A container of its own: the host's `nsenter` would not find its way from here. */
const inside = (id: string) => {
  const run = ["run", "--rm", "--interactive", "--network", `container:${id}`, "--volume", `${SERVERS}:${SERVERS}:ro`];
  return [dockerCli, "--host", socket, ...run, IMAGE, "node"] as const;
};
const options = { log: silent, helperImage: IMAGE };

const rigs = [
  new Rig({
    name: "docker, unseen",
    engine,
    inside,
    createRuntime: (stateDir) => createDockerRuntime({ ...options, host: socket, stateDir }),
  }),
  new Rig({
    name: "docker over TLS, unseen",
    engine,
    inside,
    createRuntime: (stateDir) => createDockerRuntime({ ...options, host: tcp, tls: { ca, cert, key }, stateDir }),
  }),
];

for (const rig of rigs) {
  describe(rig.name, () => {
    before(() => rig.open());
    after(() => rig.close());
    dialContract(rig);
    guestContract(rig);
  });
}
printTable(rigs);
