// Copies the packages that the programs need when they run, as the lock file tells: node image-packages.mjs FROM TO
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [from, to] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(join(from, "package-lock.json"), "utf8"));
for (const [path, { dev, devOptional }] of Object.entries(packages)) {
  // Of what is optional the part for this machine is there; Node is copied already.
  if (path === "" || dev || devOptional || /\/node-linux-/.test(path) || !existsSync(join(from, path))) continue;
  const inner = join(from, path, "node_modules");
  cpSync(join(from, path), join(to, path), { recursive: true, filter: (file) => !file.startsWith(inner) });
}
