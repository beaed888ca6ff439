/** An agent is told to end and another one takes its place: what is open hears it at once, and what can move on does. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { freePort } from "../support/free-port.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { guarded, type Home, startCtl, TerminalRun } from "./ctl.ts";

const CONTAINER = "ctl-restart";
const COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done";
/** Longer than any test waits: who waits for it fails. */
const GRACE = "5m";
/** For so long an agent keeps the end of a session for a client that is away. */
const KEPT_MS = 60_000;

/** How `ctl` comes to the agent. */
interface Way {
  /** The container, as it is called there. */
  container: string;
  /** Of the first agent; the next one has its state. */
  flags: string[];
  home(agent: TestAgent): Home;
  /** Resolves once the agent takes what is new. */
  ready(): Promise<unknown>;
  close(): Promise<void>;
}

const WAYS: Record<string, () => Promise<Way>> = {
  directly: async () => ({
    container: CONTAINER,
    flags: [],
    home: (agent) => agent,
    ready: async () => {},
    close: async () => {},
  }),
  "through its server": async () => {
    const server = await startServer({ flags: ["--heartbeat-interval", "1s"] });
    const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "box" });
    const env = { XDG_CONFIG_HOME: server.home, FAIRLEAD_SERVER: server.url, FAIRLEAD_TOKEN: server.token };
    const isConnected = async () => {
      const { beat } = await server.json<{ beat?: { gatewayStatus?: string } }>("/api/v1/nodes/box");
      return beat?.gatewayStatus === "connected";
    };
    return {
      container: `box:${CONTAINER}`,
      flags: ["-S", server.url, "--token", token],
      home: () => ({ env }),
      ready: () => until("the agent's line", isConnected),
      close: () => server.stop(),
    };
  },
};

for (const [name, open] of Object.entries(WAYS))
  suite(`an agent that is restarted, reached ${name}`, () => {
    let engine: Engine;
    let agent: TestAgent;
    let way: Way;
    let port: number;

    const start = async (home?: string) => {
      const flags = ["--shutdown-grace", GRACE, ...way.flags];
      agent = await startAgent({ engine, port, flags, ...(home !== undefined && { home }) });
    };

    before(async () => {
      engine = await sharedEngine();
      port = await freePort();
      await engine.run(CONTAINER, { command: ["sh", "-c", COUNTING] });
      way = await open();
      await start();
      await way.ready();
    });
    after(async () => {
      await agent?.stop();
      await way?.close();
      await engine?.docker("rm", "--force", CONTAINER);
    });

    test("a followed log does not hold the agent up, and goes on with the next one as if nothing had been", async () => {
      const ctl = startCtl(way.home(agent), "logs", "-f", way.container);
      await ctl.says(/^line 20$/m);
      agent.kill("SIGTERM");
      assert.equal(await agent.exited, 0);
      await start(agent.home);
      const [, last] = await ctl.says(/line (\d+)\n$/);
      await ctl.says(new RegExp(`^line ${Number(last) + 50}$`, "m"));
      ctl.child.kill("SIGINT");
      const { stdout, stderr } = await ctl.ended;
      const lines = stdout.toString().trimEnd().split("\n");
      assert.deepEqual(
        lines,
        lines.map((_, i) => `line ${i + 1}`),
      );
      assert.equal(stderr, "");
    });

    test("a terminal is told how long it has, and finishes what it was at", async () => {
      await way.ready();
      using terminal = new TerminalRun(way.home(agent), guarded("exec", "-it", way.container, "sh"));
      await terminal.shows(/# /);
      agent.kill("SIGTERM");
      await terminal.shows(/\[fairlead: .*shutting down.*; this session ends in 5m\]/);
      const done = performance.now();
      terminal.type("exit 3\r");
      await terminal.shows(/\[terminal same, code 3\]/);
      assert.equal(await agent.exited, 0);
      assert.ok(performance.now() - done < KEPT_MS / 2, "the agent took a client that was done for one that is away");
      await start(agent.home);
    });
  });
