/** The settings that say which container engine the agent talks to, and how. */

import { join } from "node:path";
import { z } from "zod";
import { setting } from "../boot/setting.ts";
import { path, text, toggle } from "../boot/value.ts";

const dockerHost = {
  ...text("URL"),
  schema: z.string().refine((value) => value === "" || /^unix:\/\/\/.|^tcp:\/\/[^/@\s]+\/?$/.test(value)),
  accepts: `unix:///path, tcp://host:port or ""`,
};

export const ENGINE_SETTINGS = {
  docker_host: setting({
    type: dockerHost,
    default: "",
    effect:
      "The Docker or Podman engine; empty: the first of the usual sockets that is there. Over TCP without TLS (docker_cert_path) everyone on that network can become root on the host.",
    variables: ["DOCKER_HOST"],
  }),
  docker_tls_verify: setting({
    type: toggle(),
    default: false,
    effect:
      "Reaches an engine at a tcp:// address with TLS, also where docker_cert_path is not set. With TLS both sides prove who they are, always.",
    sharedVariables: ["DOCKER_TLS_VERIFY"],
  }),
  docker_cert_path: setting({
    type: path(),
    default: ({ home }, { docker_tls_verify: tls }) => (tls ? join(home, ".docker") : ""),
    defaultWords: "~/.docker with docker_tls_verify, else empty",
    effect: "A directory with ca.pem, cert.pem and key.pem, for TLS to an engine at a tcp:// address; empty: no TLS.",
    sharedVariables: ["DOCKER_CERT_PATH"],
  }),
  helper_image: setting({
    type: text("IMAGE"),
    default: "",
    effect:
      "Fairlead's own image on the engine, of which short helper containers are made where the agent does not see the engine's processes: they end what an exec has started, and reach ports that listen on a container's loopback only or on a network that the agent is not on. Another image with sh and grep does for the first of these alone. Empty: the image that the agent itself runs from, else the container's own shell, and those ports are not reached.",
  }),
  require_runtime: setting({
    type: toggle(),
    default: false,
    effect: "Ends the agent when the engine does not answer at the start, instead of waiting for it.",
  }),
};
