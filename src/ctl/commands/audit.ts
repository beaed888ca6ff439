/** `ctl audit`: what was done on a host or at a server, by whom, and whether the record of it is whole. */

import { stat } from "node:fs/promises";
import { Command, Option } from "commander";
import { auditFiles } from "../../audit/files.ts";
import { verify } from "../../audit/verify.ts";
import { auditOutcome, AuditRecord, auditTarget, AuditVerdict } from "../../protocol/audit.ts";
import { apiOf } from "../../protocol/version.ts";
import { Failure, UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { dataText, isData, lister, type Listing, type OutputFormat, outputOption } from "../output-format.ts";
import type { Entry } from "./entry.ts";

interface Options {
  since?: string;
  subject?: string;
  container?: string;
  follow?: boolean;
  tail?: string;
  node?: string;
  output?: OutputFormat;
}

/** Faults were found. */
const EXIT_FAULTS = 1;

const EXAMPLES = `
Examples:
  ctl audit --since 1h                  the last hour
  ctl audit --container web -f          what is done to web, as it is done
  ctl audit -n 20                       the last 20 records
  ctl audit --subject token:ci -o json  all of one caller's, every member
  ctl audit verify                      whether the records are all there and unchanged
  ctl audit verify /backup/audit*.log   the same of files, without an agent

At a server these are the server's own records: who changed what, and which sessions went through it. With --node they
are those of the host behind it.`;

/** Most times, events, kinds, subjects and containers fit in. */
const WIDTHS = [24, 14, 13, 22, 22];

const LISTING: Listing<AuditRecord> = {
  headings: ["TIME", "EVENT", "KIND", "SUBJECT", "CONTAINER", "OUTCOME"],
  widths: WIDTHS,
  row: (record) => [
    record.time,
    record.event,
    record.kind ?? "",
    record.subject ?? "",
    auditTarget(record),
    auditOutcome(record),
  ],
  wide: {
    headings: ["SEQ", "TIME", "EVENT", "KIND", "SUBJECT", "FROM", "CONTAINER", "SESSION", "OUTCOME", "COMMAND"],
    row: (record) => [
      String(record.seq),
      record.time,
      record.event,
      record.kind ?? "",
      record.subject ?? "",
      record.remote ?? "",
      auditTarget(record),
      record.session ?? "",
      auditOutcome(record),
      (record.command ?? []).join(" "),
    ],
  },
  name: ({ session, seq }) => session ?? String(seq),
};

export function auditCommand(invocation: Invocation): Entry {
  const command = new Command("audit")
    .description(
      "Show what was done, by whom, and what was refused; or check that nothing of it is missing or changed.",
    )
    .argument("[verify]", "check the records instead of showing them")
    .argument("[files...]", "of a log that was copied, instead of the one in use")
    .option("--since <time>", "from then on: 10m, 2024-05-01T10:00:00Z or Unix seconds")
    .option("--subject <who>", "of local, token:NAME, page:ID or server:NAME alone")
    .option("--node <node>", "what the agent of this host has written down, instead of its server")
    .option("--container <container>", "of one container alone: a name, or the beginning of an id")
    .option("-n, --tail <records>", "only the last so many, at most 1,000")
    .addOption(new Option("-f, --follow", "go on with each new record"))
    .addOption(outputOption())
    .addHelpText("after", EXAMPLES);
  return {
    command,
    work: (verb: string | undefined, files: string[], options: Options) => {
      if (verb === undefined) return show(invocation, options);
      if (verb === "verify") return check(invocation, files, options);
      throw new UsageError(`"${verb}" is not understood: say ctl audit, or ctl audit verify.`);
    },
  };
}

async function show(invocation: Invocation, options: Options): Promise<number> {
  const { output, follow, node, since, subject, container, tail } = options;
  const connection = await invocation.connection();
  const query = new URLSearchParams(follow ? { follow: "true" } : {});
  for (const [name, value] of Object.entries({ since, subject, container, tail })) if (value) query.set(name, value);
  const print = lister(LISTING, output, "again");
  for await (const line of connection.lines(`${apiOf(node)}/audit?${query.toString()}`)) {
    const record = AuditRecord.parse(line);
    await invocation.stdout.write(isData(output) ? await dataText(record, output, "again") : await print([record]));
  }
  return 0;
}

async function check(invocation: Invocation, paths: string[], { node, output }: Options): Promise<number> {
  const verdict = paths.length > 0 ? await verify(await filesOf(paths)) : await ofProgram(invocation, node);
  const { stdout } = invocation;
  if (isData(output)) await stdout.write(await dataText(verdict, output));
  else {
    for (const { file, line, words } of verdict.faults) await stdout.write(`${file}:${line}: ${words}\n`);
    const found = verdict.faults.length === 0 ? "all as they were written" : `faults: ${verdict.faults.length}`;
    await stdout.write(`${verdict.records} records, ${found}; the last is ${verdict.seq}, ${verdict.hash}\n`);
  }
  return verdict.faults.length === 0 ? 0 : EXIT_FAULTS;
}

async function ofProgram(invocation: Invocation, node: string | undefined): Promise<AuditVerdict> {
  const connection = await invocation.connection();
  return AuditVerdict.parse(await connection.get(`${apiOf(node)}/audit/verify`));
}

/** A directory means the audit log in it. */
async function filesOf(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const directory = await stat(path).catch((cause: unknown) => {
      throw new Failure(`${path} cannot be read; name a file or directory of an audit log.`, { cause });
    });
    files.push(...(directory.isDirectory() ? await auditFiles(path) : [path]));
  }
  if (files.length === 0) throw new Failure(`There is no audit log in ${paths.join(", ")}.`);
  return files;
}
