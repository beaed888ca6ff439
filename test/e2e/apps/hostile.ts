/** A container's app that means harm: whatever a page and its server can try against the agent, it tries. Arguments: its ports. */

import { createServer } from "node:http";
import { createHash } from "node:crypto";

const MEBIBYTE = 1_048_576;
/** Every request that came, head only. */
const seen: object[] = [];

const PAGE = `<!doctype html><title>hostile</title><script>
const target = new URL(location).searchParams.get("target");
const tries = {
  cookie: async () => document.cookie,
  storage: async () => Object.keys(localStorage).join(),
  opener: async () => String(window.opener),
  worker: () => navigator.serviceWorker.register("/worker.js", { scope: "/" }).then(() => "registered"),
  read: () => fetch(target + "/api/v1/whoami", { credentials: "include" }).then((it) => it.text()),
  write: () => fetch(target + "/api/v1/codes", { method: "POST", credentials: "include" }).then((it) => it.text()),
  blind: () => fetch(target + "/", { mode: "no-cors", credentials: "include" }).then((it) => it.type),
  socket: () => new Promise((resolve, reject) => {
    const socket = new WebSocket(target.replace("http", "ws") + "/api/v1/sessions", "fairlead.v1");
    socket.onopen = () => resolve("open");
    socket.onerror = () => reject(new Error("refused"));
  }),
  frame: () => new Promise((resolve, reject) => {
    const frame = document.createElement("iframe");
    frame.src = target + "/";
    frame.onload = () => { try { resolve(frame.contentDocument.body.innerText); } catch (error) { reject(error); } };
    document.body.append(frame);
  }),
  domain: async () => { for (const to of ["localhost", ".localhost"]) document.cookie = "evil=js; Domain=" + to; return document.cookie; },
};
if (target) (async () => {
  const results = {};
  for (const [name, attempt] of Object.entries(tries))
    results[name] = await attempt().catch((error) => "failed: " + error.name);
  window.results = results;
})();
</script>`;

const FAR = {
  "Set-Cookie": ["evil=header; Domain=localhost", "__Host-fairlead-9090=evil; Secure; Path=/", "mine=1; Path=/"],
  "Clear-Site-Data": '"*"',
  "Service-Worker-Allowed": "/",
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
};

const server = () =>
  createServer({ maxHeaderSize: MEBIBYTE }, (request, response) => {
    const { method, url = "/", headers } = request;
    seen.push({ method, url, headers });
    const { pathname, searchParams } = new URL(url, "http://app");
    if (pathname === "/seen") return void response.end(JSON.stringify(seen));
    if (pathname === "/worker.js") return void response.writeHead(200, { "Content-Type": "text/javascript" }).end("//");
    if (pathname === "/away") return void response.writeHead(302, { Location: searchParams.get("to") ?? "/" }).end();
    if (pathname === "/flood")
      return void response.socket?.end(`HTTP/1.1 200 OK\r\n${`X-Flood: ${"x".repeat(1_000)}\r\n`.repeat(10_000)}\r\n`);
    if (pathname === "/upload") {
      const hash = createHash("sha256");
      request.on("data", (chunk: Buffer) => hash.update(chunk));
      return void request.on("end", () => response.end(hash.digest("hex")));
    }
    response.writeHead(200, { "Content-Type": "text/html", ...FAR }).end(PAGE);
  }).on("upgrade", ({ method, url, headers }, socket) => {
    seen.push({ method, url, headers });
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });

for (const port of process.argv.slice(2)) server().listen(Number(port));
