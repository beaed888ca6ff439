/** `npm run bench -- [names...]`: takes the figures by which Fairlead calls itself fast, each against its peer in the same run. */

import { writeFile } from "node:fs/promises";
import type { Failure, Figure, Result } from "./figure.ts";
import { bareCpIn, cpLargeIn, cpLargeOut, cpSmallIn, cpSmallOut } from "./figures/cp.ts";
import { echoUnderLoad } from "./figures/echo-under-load.ts";
import { bareExecEcho, execEcho } from "./figures/exec-echo.ts";
import { bareExecOutput, execOutput } from "./figures/exec-output.ts";
import { execTrue } from "./figures/exec-true.ts";
import { bareForwardConnections, forwardConnections } from "./figures/forward-connections.ts";
import { bareForwardLatency, forwardLatency } from "./figures/forward-latency.ts";
import { bareForwardThroughput, forwardThroughput } from "./figures/forward-throughput.ts";
import { logs } from "./figures/logs.ts";
import { proxyFirstByte } from "./figures/proxy-first-byte.ts";
import { proxyRequests } from "./figures/proxy-requests.ts";
import { relayEcho, relayLatency } from "./figures/relay-latency.ts";
import { relayThroughput, relayThroughputUp } from "./figures/relay-throughput.ts";
import { stalledReaders } from "./figures/stalled-readers.ts";
import { parseOptions, USAGE, UsageError } from "./options.ts";
import { summarise, takePairs } from "./pairs.ts";
import { Stage } from "./stage.ts";
import { jsonLine, table } from "./table.ts";

const FIGURES: readonly Figure[] = [
  ...forwardThroughput,
  forwardLatency,
  forwardConnections,
  logs,
  execTrue,
  execEcho,
  execOutput,
  cpLargeIn,
  cpLargeOut,
  cpSmallIn,
  cpSmallOut,
  proxyRequests,
  proxyFirstByte,
  echoUnderLoad,
  stalledReaders,
  relayThroughput,
  relayThroughputUp,
  relayLatency,
  relayEcho,
  ...bareForwardThroughput,
  bareForwardLatency,
  bareForwardConnections,
  bareExecEcho,
  bareExecOutput,
  bareCpIn,
];

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), FIGURES.map(nameOf));
  if (options.help) return say(USAGE);
  if (options.list) return say(FIGURES.map((figure) => `${nameOf(figure).padEnd(25)} ${figure.about}`).join("\n"));
  const chosen = FIGURES.filter((figure) => options.names.includes(nameOf(figure)));
  const outcomes = await takeAll(chosen, options.pairs);
  const lines = outcomes.map(jsonLine).join("\n");
  say(table(outcomes));
  if (options.json === undefined) say(lines);
  else await writeFile(options.json, `${lines}\n`);
  return outcomes.every((outcome) => "pass" in outcome && outcome.pass) ? 0 : 1;
}

async function takeAll(figures: readonly Figure[], pairs: number): Promise<(Result | Failure)[]> {
  await using stage = new Stage();
  const outcomes: (Result | Failure)[] = [];
  process.stderr.write(`bench: ${await stage.describe()}\n`);
  for (const figure of figures) {
    process.stderr.write(`bench: ${nameOf(figure)}: ${figure.about}\n`);
    outcomes.push(...(await take(figure, stage, pairs)));
  }
  return outcomes;
}

/** One figure that cannot be taken says so and leaves the others to be taken. */
async function take(figure: Figure, stage: Stage, pairs: number): Promise<(Result | Failure)[]> {
  try {
    await using contest = await figure.open(stage);
    return summarise(figure.measures, await takePairs(contest, pairs));
  } catch (error) {
    return figure.measures.map(({ name }) => ({ name, error: error instanceof Error ? error.message : String(error) }));
  }
}

function nameOf(figure: Figure): string {
  return figure.measures[0].name;
}

function say(words: string): 0 {
  process.stdout.write(`${words}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
