/** The page's files, read once: each is a route of its own, so no request path ever reaches the file system. */

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { FastifyReply } from "fastify";
import type { App } from "./declaration.ts";

const MAX_FILES = 256;
const MAX_TOTAL_BYTES = 32 * 1_048_576;
const INDEX = "/index.html";
/** What the bundler puts here carries a hash of its content in its name. */
const HASHED = "/assets/";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/** The terminal emulator draws its colours with inline styles; inline scripts are never allowed. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** On every answer, whatever it is. */
export const SAFE_HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

interface PageFile {
  url: string;
  type: string;
  bytes: Buffer;
  etag: string;
}

/** Adds a route for each file of the directory, and `/` for its `index.html`. Throws when there is none, or too much. */
export async function addPage(app: App, directory: string): Promise<void> {
  const files = await readFiles(directory);
  const index = files.find(({ url }) => url === INDEX);
  if (!index) throw new Error(`${directory} has no index.html; build the page with: npm run build`);
  for (const file of [...files, { ...index, url: "/" }])
    app.route({
      method: ["GET", "HEAD"],
      url: file.url,
      config: { access: "anyone", file: true },
      handler: (request, reply) => sendFile(reply, file, request.headers["if-none-match"]),
    });
}

function sendFile(reply: FastifyReply, file: PageFile, known: string | undefined): FastifyReply {
  const hashed = file.url.startsWith(HASHED);
  void reply.header("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
  void reply.header("etag", file.etag);
  if (known === file.etag) return reply.code(304).send();
  return reply.header("content-type", file.type).send(file.bytes);
}

async function readFiles(directory: string): Promise<PageFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (paths.length > MAX_FILES || total > MAX_TOTAL_BYTES)
    throw new Error(`${directory} holds ${paths.length} files of ${total} bytes: that is not the built page.`);
  return await Promise.all(paths.map((path) => readOne(directory, path)));
}

async function readOne(directory: string, path: string): Promise<PageFile> {
  const bytes = await readFile(path);
  const hash = createHash("sha256").update(bytes).digest("base64url");
  return {
    url: `/${relative(directory, path).split(sep).map(encodeURIComponent).join("/")}`,
    type: TYPES[extname(path)] ?? "application/octet-stream",
    bytes,
    etag: `"${hash}"`,
  };
}
