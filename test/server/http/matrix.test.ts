/** Every door of the server, and every door and operation of a host behind it, for every right, scope and host: HTTP and WebSocket. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { WebSocket } from "ws";
import { newSecret } from "../../../src/auth/secret.ts";
import { signatureHeaders } from "../../../src/auth/signature.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import { RIGHTS, type Right } from "../../../src/protocol/rights.ts";
import { SUBPROTOCOL, UPLINK_PATH } from "../../../src/protocol/version.ts";
import {
  CONTAINERS,
  DESK,
  type Line,
  may,
  ON_HOST,
  type Operation,
  OPERATIONS,
  ROUTES as AGENT_ROUTES,
  SCOPES,
  Verdict,
  type Visitor,
} from "../../agent/gateway/matrix.ts";
import { Fleet } from "../../support/fleet.ts";
import { TestHost } from "../../support/host.ts";

/** Which hosts a grant names. There is one, which is called `box`. */
const NODES: Record<string, string[] | undefined> = { "all hosts": undefined, box: ["box"], elsewhere: ["elsewhere"] };

/** Somebody with one right, on some containers of some hosts. */
type Guest = Omit<Visitor, "token"> & { nodes: string[] | undefined };

/** Each right with each scope; and, of every container, on each choice of hosts. */
const GUESTS: Guest[] = RIGHTS.flatMap((right) =>
  Object.entries(SCOPES).flatMap(([scope, { scopes, reaches }]) =>
    Object.entries(NODES)
      .filter(([, nodes]) => nodes === undefined || scopes.length === 0)
      .map(([where, nodes]) => {
        const name = `${right} on ${scope} of ${where}`;
        return { name, nodes, reaches, grant: { subject: name, rights: [right], scopes, ...(nodes && { nodes }) } };
      }),
  ),
);

/** Those who try a host's doors, which others try at the agent itself: fewer are enough to see that each comes as who he is. */
const HOST_GUESTS = GUESTS.filter(
  ({ nodes, grant: { rights, scopes } }) =>
    rights.some((right) => right === "exec" || right === "admin") ||
    (nodes === undefined && (scopes.length === 0 || scopes === SCOPES["blue"]?.scopes)),
);

interface Door {
  needs: Right | "anyone" | "signed-in" | "host";
  /** What is asked; a request that is let in changes nothing, because it is not as described. */
  path?: string;
  body?: string;
  /** It is about that host. */
  node?: true;
  speaks?: string;
}

const NONSENSE = { body: '{"no such member":1}' };
const NOBODY = { path: "/api/v1/nodes/-nobody-" };

/** What each route of the server asks for, written down a second time; those below a host are the host's. */
const ROUTES: Record<string, Door> = {
  "GET /healthz": { needs: "anyone" },
  "HEAD /healthz": { needs: "anyone" },
  "GET /readyz": { needs: "anyone" },
  "HEAD /readyz": { needs: "anyone" },
  "GET /metrics": { needs: "metrics" },
  "POST /api/v1/sign-in": { needs: "anyone", ...NONSENSE },
  "POST /api/v1/sign-out": { needs: "signed-in" },
  "POST /api/v1/tickets": { needs: "signed-in" },
  "POST /api/v1/codes": { needs: "admin", path: "/api/v1/codes?no-such=1" },
  "GET /api/v1/whoami": { needs: "signed-in" },
  "GET /api/v1/version": { needs: "signed-in" },
  "GET /api/v1/openapi.json": { needs: "signed-in" },
  "POST /api/v1/login": { needs: "anyone", ...NONSENSE },
  "POST /api/v1/login/device": { needs: "anyone", ...NONSENSE },
  "POST /api/v1/login/device/token": { needs: "anyone", path: "/api/v1/login/device/token?no-such=1" },
  "POST /api/v1/login/asked": { needs: "admin", ...NONSENSE },
  "POST /api/v1/login/approve": { needs: "admin", ...NONSENSE },
  "POST /api/v1/login/refuse": { needs: "admin", ...NONSENSE },
  "GET /api/v1/tokens": { needs: "admin" },
  "POST /api/v1/tokens": { needs: "admin", ...NONSENSE },
  "DELETE /api/v1/tokens/:name": { needs: "admin", path: "/api/v1/tokens/-nobody-" },
  "GET /api/v1/containers": { needs: "list" },
  "GET /api/v1/stats": { needs: "inspect" },
  "GET /api/v1/nodes": { needs: "list" },
  "GET /api/v1/nodes/:name": { needs: "list", path: "/api/v1/nodes/box", node: true },
  "POST /api/v1/nodes": { needs: "admin", ...NONSENSE },
  "DELETE /api/v1/nodes/:name": { needs: "admin", ...NOBODY },
  "PATCH /api/v1/nodes/:name/settings": { needs: "admin", path: "/api/v1/nodes/box/settings", ...NONSENSE },
  "POST /api/v1/nodes/:name/enable": { needs: "admin", path: `${NOBODY.path}/enable` },
  "POST /api/v1/nodes/:name/disable": { needs: "admin", path: `${NOBODY.path}/disable` },
  "POST /api/v1/nodes/:name/rotate": { needs: "admin", path: `${NOBODY.path}/rotate` },
  "POST /api/v1/nodes/:name/pass": {
    needs: "signed-in",
    path: "/api/v1/nodes/box/pass",
    node: true,
    body: JSON.stringify({ key: "A".repeat(43) }),
  },
  "POST /api/v1/nodes/:node/containers/:ref/open": {
    needs: "proxy",
    path: "/api/v1/nodes/box/containers/blue/open",
    ...NONSENSE,
  },
  "POST /api/v1/agent/bootstrap": { needs: "anyone", ...NONSENSE },
  "GET /api/v1/agent/server": { needs: "anyone" },
  "POST /api/v1/agent/register": { needs: "host", ...NONSENSE },
  "POST /api/v1/agent/heartbeat": { needs: "host", ...NONSENSE },
  "POST /api/v1/agent/key": { needs: "host", ...NONSENSE },
  "GET /api/v1/events": { needs: "list" },
  "GET /api/v1/audit": { needs: "admin" },
  "GET /api/v1/audit/verify": { needs: "admin" },
  "GET /api/v1/sessions": { needs: "signed-in", speaks: SUBPROTOCOL },
  [`GET ${UPLINK_PATH}`]: { needs: "host", speaks: SUBPROTOCOL },
};
const BELOW = "/api/v1/nodes/:node/*";
/** What would outlive the server's word is not given through it; a page's sign-out is the server's. */
const DIRECT = new Set(["sign-in", "sign-out", "tickets", "codes"].map((word) => `POST /api/v1/${word}`));
const REFUSED = new Set([401, 403, 404, 429]);

suite("every door of a server, for every right, scope and host", () => {
  let fleet: Fleet;
  const tokens = new Map<Guest, string>();

  before(async () => {
    fleet = await Fleet.start(DESK);
    for (const [i, guest] of GUESTS.entries()) {
      const { rights, scopes } = guest.grant;
      const wish = { name: `guest-${i}`, rights, scopes, ...(guest.nodes && { nodes: guest.nodes }) };
      tokens.set(guest, (await fleet.post<{ token: string }>("/api/v1/tokens", wish)).token);
    }
  });
  after(() => fleet[Symbol.asyncDispose]());

  const bearer = (guest: Guest) => ({ authorization: `Bearer ${tokens.get(guest)}` });

  interface Attempt {
    method: string;
    path: string;
    headers: Record<string, string>;
    body?: string | undefined;
    speaks?: string | undefined;
  }

  /** Whether it got past whoever decides who may do what. */
  async function through({ method, path, headers, body, speaks }: Attempt): Promise<boolean> {
    if (speaks !== undefined) return !REFUSED.has(await handshake(fleet.url + path, speaks, headers));
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(fleet.url + path, {
      method,
      headers: { ...headers, ...type },
      ...(body !== undefined && { body }),
    });
    await answer.body?.cancel();
    return !REFUSED.has(answer.status);
  }

  function own(route: string, door: Door): Omit<Attempt, "headers"> {
    const [method = "", path = ""] = route.split(" ");
    return { method, path, ...door };
  }

  test("has its line in this matrix, and says who may use it", () => {
    const found = fleet.server.routes.filter(({ url }) => url !== BELOW);
    assert.deepEqual(found.map(({ method, url }) => `${method} ${url}`).toSorted(), Object.keys(ROUTES).toSorted());
    for (const { method, url, access, speaks } of found) {
      const door = ROUTES[`${method} ${url}`];
      assert.equal(door?.needs, access, url);
      assert.deepEqual(speaks, door?.speaks && [door.speaks], url);
    }
    for (const { url, access } of fleet.server.routes) if (url === BELOW) assert.equal(access, "signed-in");
  });

  test("lets a token do what its grant says, and nothing else", async () => {
    const verdict = new Verdict();
    for (const guest of GUESTS)
      await Promise.all(
        Object.entries(ROUTES).map(async ([route, door]) => {
          const attempt = { ...own(route, door), headers: bearer(guest) };
          verdict.note(`${guest.name}: ${route}`, {
            expected: mayAtServer(guest, door),
            through: await through(attempt),
          });
        }),
      );
    verdict.check(GUESTS.length * Object.keys(ROUTES).length);
  });

  test("lets a token do at a host what its grant says, and nothing else", async () => {
    const verdict = new Verdict();
    const lines = Object.entries(AGENT_ROUTES).filter(([route]) => route.includes(" /api/v1/"));
    for (const guest of HOST_GUESTS)
      await Promise.all(
        lines.flatMap(([route, all]) =>
          all.map(async (line) => {
            const attempt = { ...relayed(route, line), headers: bearer(guest) };
            const expected = !DIRECT.has(route) && mayAtHost(guest, line.needs, line.on);
            verdict.note(`${guest.name}: ${route} ${attempt.path}`, { expected, through: await through(attempt) });
          }),
        ),
      );
    verdict.check(HOST_GUESTS.length * lines.flatMap(([, all]) => all).length);
  });

  test("opens the sessions at a host that the grant allows, and no other", async () => {
    const verdict = new Verdict();
    const by = { node: "box" };
    for (const guest of HOST_GUESTS) {
      const client = fleet.client(tokens.get(guest) ?? "");
      const attempt = async (operation: string, { needs, open }: Operation, name = "") => {
        const opened = await open(client, name, by).then(
          async (session) => (await session.close(), true),
          (error: unknown) => {
            assert.ok(error instanceof FairleadError && error.code === "not-found", `${guest.name}: ${String(error)}`);
            return false;
          },
        );
        const expected = mayAtHost(guest, needs, name || undefined);
        verdict.note(`${guest.name}: ${operation} ${name}`, { expected, through: opened });
      };
      const all = Object.entries(OPERATIONS);
      await Promise.all([
        ...CONTAINERS.flatMap(({ name }) => all.map(([operation, what]) => attempt(operation, what, name))),
        ...Object.entries(ON_HOST).map(([operation, what]) => attempt(operation, what)),
      ]);
      await client.close();
    }
    verdict.check(HOST_GUESTS.length * (Object.keys(OPERATIONS).length * 2 + Object.keys(ON_HOST).length));
  });

  test("lets agents in where agents do, and nowhere else", async () => {
    const host = new TestHost(fleet.url);
    await host.bootstrap((await fleet.post<{ token: string }>("/api/v1/nodes", { name: "signed" })).token);
    const { name, uid, key, epoch } = host;
    const signer = { keyName: `${name}/${uid}/${key.id}`, key, epoch };
    const verdict = new Verdict();
    for (const [route, door] of Object.entries(ROUTES)) {
      const attempt = own(route, door);
      const { method, path: target, body = "" } = attempt;
      const headers = signatureHeaders({ method, target, body }, signer);
      const expected = door.needs === "anyone" || door.needs === "host";
      verdict.note(route, { expected, through: await through({ ...attempt, headers }) });
    }
    for (const path of ["/api/v1/nodes/box/containers", "/api/v1/nodes/signed/containers"]) {
      const headers = signatureHeaders({ method: "GET", target: path }, signer);
      verdict.note(path, { expected: false, through: await through({ method: "GET", path, headers }) });
    }
    verdict.check(Object.keys(ROUTES).length + 2);
  });

  test("lets nobody in who has no proof, or a wrong or withdrawn one", async () => {
    const [withdrawn] = GUESTS.filter(({ grant }) => grant.rights.includes("admin"));
    assert.ok(withdrawn);
    await fleet.ask(`/api/v1/tokens/guest-${GUESTS.indexOf(withdrawn)}`, { method: "DELETE" });
    const verdict = new Verdict();
    const page = { origin: fleet.url };
    const proofs = [page, { authorization: `Bearer ${newSecret()}` }, bearer(withdrawn), { ...page, cookie: "a=b" }];
    const lines = Object.entries(AGENT_ROUTES).flatMap(([route, all]) => all.map((line) => relayed(route, line)));
    for (const headers of proofs) {
      const attempts = [
        ...Object.entries(ROUTES).map(([route, door]) => ({ ...own(route, door), expected: door.needs === "anyone" })),
        ...lines.map((line) => ({ ...line, expected: false })),
      ];
      await Promise.all(
        attempts.map(async ({ expected, ...attempt }) => {
          const what = `${attempt.method} ${attempt.path} ${Object.values(headers).join()}`;
          verdict.note(what, { expected, through: await through({ ...attempt, headers }) });
        }),
      );
    }
    verdict.check(proofs.length * (Object.keys(ROUTES).length + lines.length));
  });
});

function mayAtServer({ grant, nodes }: Guest, { needs, node }: Door): boolean {
  const reaches = node === undefined || nodes === undefined || nodes.includes("box");
  if (needs === "anyone" || needs === "signed-in") return reaches;
  const [right] = grant.rights;
  if (needs === "host" || (right !== needs && right !== "admin")) return false;
  if (needs === "admin") return grant.scopes.length === 0 && nodes === undefined;
  return reaches;
}

function mayAtHost(guest: Guest, needs: Line["needs"], on?: string): boolean {
  const { nodes, grant } = guest;
  // Whoever may do nothing at all is not let through: a shell on the host is not for those who have a scope.
  if (grant.rights.includes("host-shell") && grant.scopes.length > 0) return false;
  return (nodes === undefined || nodes.includes("box")) && may({ ...guest, token: "" }, needs, on);
}

/** The same at the server, by way of the host. */
function relayed(route: string, { asking = {}, speaks }: Line) {
  const [method = "", url = ""] = route.split(" ");
  const path = (asking.path ?? url).replace(/^\/(api\/v1\/)?/, "/api/v1/nodes/box/");
  return { method, path, body: asking.body, speaks };
}

/** 101, or the status of the refusal. */
function handshake(address: string, speaks: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(address.replace("http", "ws"), [speaks], { headers, perMessageDeflate: false });
  return new Promise((resolve) => {
    socket.once("open", () => (socket.terminate(), resolve(101)));
    socket.once("unexpected-response", (_request, answer) => (socket.terminate(), resolve(answer.statusCode ?? 0)));
    socket.on("error", () => undefined);
  });
}
