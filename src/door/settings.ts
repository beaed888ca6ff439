/** The settings that every program with a front has: where it listens, with which certificate, for how many. */

import { isIP } from "node:net";
import { z } from "zod";
import { setting, type ValuesOf } from "../boot/setting.ts";
import { address, choice, integer, list, path, port, toggle, url } from "../boot/value.ts";
import type { DoorConfig, ServerCertificate } from "./options.ts";

/** Strangers from which on some new ones are turned away, and how many of them. */
const FIRST_STRANGERS = 10;
const TURNED_AWAY = 0.3;

const networks = z.string().refine((network) => {
  const [ip = "", bits = "0", ...more] = network.split("/");
  return isIP(ip) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(ip) === 4 ? 32 : 128) && more.length === 0;
});
const origins = z.string().refine((origin) => {
  const parsed = URL.parse(origin);
  return /^https?:\/\//.test(origin) && parsed !== null && parsed.href === `${parsed.origin}/`;
});

/** Which program it is, in one word, and where it listens unless it is told otherwise. */
export interface PlaceWish {
  who: string;
  where: { address: string; port: number };
  /** Other names of the port's setting. */
  portNames?: { aliases: readonly string[]; variables: readonly string[] };
}

export function placeSettings({ who, where, portNames }: PlaceWish) {
  return {
    listen_address: setting({
      type: address(),
      default: where.address,
      effect: `Where the ${who}'s HTTP server listens. Any address but a loopback one is served with TLS (see tls), unless trusted_proxies names the proxy that does it.`,
    }),
    listen_port: setting({
      type: port(),
      default: where.port,
      effect: `The TCP port of the ${who}'s HTTP server; 0 takes any free one.`,
      ...portNames,
    }),
    public_urls: setting({
      type: list(origins, "addresses such as https://gw.example.com, without a path", "URLS"),
      default: [],
      effect: `Addresses under which browsers reach this ${who}, beside its own: they are accepted as Host and Origin.`,
    }),
    trusted_proxies: setting({
      type: list(networks, "IP addresses and networks such as 10.0.0.0/8", "NETWORKS"),
      default: [],
      effect: `Proxies in front of this ${who} that do the TLS and whose word about the client's address is believed.`,
    }),
    tls: setting({
      type: choice("auto", "self-signed", "off"),
      default: "auto",
      effect: `Where the ${who}'s certificate comes from. auto: from tls_cert; without it the ${who} makes its own when it listens on an address that is not a loopback one and no trusted_proxies are named. self-signed: it makes its own in any case. off: there is no TLS. Of its own certificate the ${who} prints the pin, which clients give with ctl --pin; its key in data_dir stays, so the pin does.`,
    }),
    tls_cert: setting({
      type: path(),
      default: "",
      effect:
        "A PEM file with the certificate and its chain; with tls_key. Both are read again when they change, without a restart.",
    }),
    tls_key: setting({
      type: path(),
      default: "",
      effect: `A PEM file with the certificate's private key, readable by the ${who}'s user only.`,
      secretFile: true,
    }),
    probe_port: setting({
      type: {
        ...integer({ min: 0, max: 65_535 }),
        accepts: "a port from 1 to 65535, or 0 for none",
        placeholder: "PORT",
      },
      default: 0,
      effect:
        "A port of its own for /healthz and /readyz, without TLS and for anyone, and with nothing else; 0: only with everything else at listen_port.",
    }),
    probe_address: setting({
      type: address(),
      default: (_, { listen_address: same }) => String(same),
      defaultWords: "listen_address",
      effect: "Where probe_port listens.",
    }),
    metrics_public: setting({
      type: toggle(),
      default: false,
      effect: `Lets anyone who reaches the ${who} read /metrics.`,
    }),
  };
}

/** Where containers' pages are. */
export function appSettings({ who }: { who: string }) {
  return {
    apps_url: setting({
      type: {
        ...url("http", "https"),
        schema: z.literal("").or(origins),
        accepts: `an address such as https://apps.example.com, without a path, or ""`,
      },
      default: "",
      effect: `Where browsers on other machines meet containers' pages: with https://apps.example.com each is at https://LABEL.apps.example.com, so all names below it must lead here. Take a domain of its own, not one above or below that of the ${who}'s page. Empty: only browsers on this machine, below localhost; for others ctl open forwards a port.`,
    }),
  };
}

/** Which program it is, and how many connections it takes unless it is told otherwise. */
export function connectionSettings({ who, connections }: { who: string; connections: number }) {
  return {
    max_connections: setting({
      type: integer({ min: 1 }),
      default: connections,
      effect: `Connections to the ${who}'s HTTP server at a time.`,
    }),
    max_unauthenticated: setting({
      type: integer({ min: 1 }),
      default: 256,
      effect:
        "Of those, connections on which nobody has signed in yet. This machine itself and each trusted proxy stand for many people and have as many again, each; there the one that has waited longest makes room for the next.",
    }),
  };
}

type PlaceValues = ValuesOf<ReturnType<typeof placeSettings>>;
type ConnectionValues = ValuesOf<ReturnType<typeof connectionSettings>>;

/** Complaints about settings that do not go together. */
export function tlsProblems({ tls, tls_cert: cert, tls_key: key }: PlaceValues): string[] {
  const problems: string[] = [];
  if ((cert === "") !== (key === "")) problems.push("tls_cert and tls_key belong together: set both or none");
  if (tls !== "auto" && cert !== "") problems.push(`tls is ${tls} and tls_cert is set: keep one`);
  return problems;
}

interface DoorPlaces {
  tls: ServerCertificate | undefined;
  localSocket?: string;
  /** Of connections on which nothing is asked; absent: as of any front. */
  keepAliveMs?: number;
}

/** The front's share of a program's configuration. */
export function doorConfig(
  config: PlaceValues & ConnectionValues,
  { tls, localSocket, keepAliveMs }: DoorPlaces,
): DoorConfig {
  const { probe_port: probePort, max_unauthenticated: strangers } = config;
  return {
    listenAddress: config.listen_address,
    listenPort: config.listen_port,
    publicUrls: config.public_urls,
    trustedProxies: config.trusted_proxies,
    ...(localSocket !== undefined && { localSocket }),
    ...(tls && { tls }),
    ...(probePort > 0 && { probes: { address: config.probe_address, port: probePort } }),
    limits: {
      connections: config.max_connections,
      ...(keepAliveMs !== undefined && { keepAliveMs }),
      unauthenticated: { begin: Math.min(FIRST_STRANGERS, strangers), share: TURNED_AWAY, full: strangers },
    },
  };
}
