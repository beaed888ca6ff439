/** The peer that is this project's own library: its smallest sample, in a program of its own. Arguments: target, port. */

import { createProxyServer } from "http-proxy";

const [target = "", port = ""] = process.argv.slice(2);
const proxy = createProxyServer({ target });
proxy.on("error", (error) => process.stderr.write(`${String(error)}\n`));
proxy.listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
