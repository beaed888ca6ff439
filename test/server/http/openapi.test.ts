import { newKey } from "../../../src/auth/keys.ts";
import { signatureHeaders } from "../../../src/auth/signature.ts";
import { BOOTSTRAP_SCHEME, keyProof } from "../../../src/protocol/fleet.ts";
import { LOGIN_SCHEME } from "../../../src/protocol/login.ts";
import { UPLINK_PATH } from "../../../src/protocol/version.ts";
import { type Particulars, testDocument } from "../../door/openapi.ts";
import { Fleet } from "../../support/fleet.ts";
import { BEAT, FACTS, TestHost } from "../../support/host.ts";

const fleet = await Fleet.start();
const { url, token } = fleet;
const { token: poor } = await fleet.post<{ token: string }>("/api/v1/tokens", { name: "poor", rights: ["record"] });
let added = 0;

/** A name that was not given yet. */
const another = () => `it-${added++}`;
const newToken = async (name: string) => (await fleet.post<{ token: string }>("/api/v1/nodes", { name })).token;
const newDevice = () => fleet.post<{ device: string; code: string }>("/api/v1/login/device", { name: "x" });
const newCode = () => fleet.post<{ code: string }>("/api/v1/codes");

async function newHost(): Promise<TestHost> {
  const host = new TestHost(url);
  await host.bootstrap(await newToken(another()));
  return host;
}

/** Signed by a host that has just come. */
async function signed(body?: (host: TestHost) => object): Promise<Particulars> {
  const host = await newHost();
  const { name, uid, key, epoch } = host;
  const signer = { keyName: `${name}/${uid}/${key.id}`, key, epoch };
  return { headers: (sent) => signatureHeaders(sent, signer), ...(body && { body: body(host) }) };
}

async function bootstrap(): Promise<Particulars> {
  const given = await newToken(another());
  const body = { ...newKeyFor(given), facts: FACTS };
  return { headers: { authorization: `${BOOTSTRAP_SCHEME} ${given}` }, body };
}

function newKeyFor(purpose: string): object {
  const key = newKey();
  return { publicKey: key.publicKey, proof: key.sign(keyProof(purpose, key.publicKey)) };
}

const login = (secret: string): Particulars => ({ headers: { authorization: `${LOGIN_SCHEME} ${secret}` } });

const PARTICULARS: Record<string, () => Promise<Particulars>> = {
  "POST /api/v1/agent/bootstrap": bootstrap,
  "POST /api/v1/agent/register": () => signed(() => ({ facts: FACTS })),
  "POST /api/v1/agent/heartbeat": () => signed(() => BEAT),
  "POST /api/v1/agent/key": () => signed(({ uid }) => newKeyFor(uid)),
  [`GET ${UPLINK_PATH}`]: () => signed(),
  "POST /api/v1/sign-in": async () => ({ body: { code: (await newCode()).code } }),
  "POST /api/v1/login": async () => login((await newCode()).code),
  "POST /api/v1/login/device/token": async () => login((await newDevice()).device),
  "POST /api/v1/login/approve": async () => ({ body: { code: (await newDevice()).code } }),
  "POST /api/v1/login/asked": async () => ({ body: { code: (await newDevice()).code } }),
  "POST /api/v1/login/refuse": async () => ({ body: { code: (await newDevice()).code } }),
  "POST /api/v1/tokens": async () => ({
    body: { name: another(), rights: ["list"], nodes: ["box"], lifetime: 60_000 },
  }),
  "DELETE /api/v1/tokens/{name}": async () => {
    const name = another();
    await fleet.post("/api/v1/tokens", { name, rights: ["list"] });
    return { known: { name } };
  },
  "POST /api/v1/nodes/{name}/pass": async () => ({ body: { key: newKey().publicKey } }),
  "PATCH /api/v1/nodes/{name}/settings": async () => ({ body: { heartbeatInterval: 20_000, gpuMetrics: null } }),
  "POST /api/v1/nodes/{node}/containers/{ref}/open": async () => {
    // Another one of these operations may have disabled it.
    await fleet.post("/api/v1/nodes/box/enable");
    return { body: { port: 80 } };
  },
  "POST /api/v1/nodes": async () => ({ body: { name: another() } }),
  "DELETE /api/v1/nodes/{name}": async () => {
    const name = another();
    await newToken(name);
    return { known: { name } };
  },
};

await testDocument({
  url,
  token,
  poor,
  routes: fleet.server.routes.map((route) => `${route.method} ${route.url}`),
  known: { name: "box", node: "box", ref: "web", path: "containers", nonce: "n".repeat(22), since: "1700000000" },
  // A token is no page; it has no certificate; nothing of the host's is called so with these methods.
  refused: [
    "POST /api/v1/sign-out",
    "GET /api/v1/agent/server",
    ...["DELETE", "PATCH", "POST", "PUT"].map((method) => `${method} /api/v1/nodes/{node}/{path}`),
  ],
  particulars: async (operation) => (await PARTICULARS[operation]?.()) ?? {},
  close: () => fleet[Symbol.asyncDispose](),
});
