/** The doors for clients that speak Kubernetes' remote command protocol: one WebSocket, one exec or attach. */

import type { FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import type { z } from "zod";
import { ERRORS, FairleadError } from "../../../protocol/errors.ts";
import { ExecBody } from "../../../protocol/open.ts";
import { AttachQuery, ExecQuery, isSetForKubernetes as isSet } from "../../../protocol/query.ts";
import { V4, V5 } from "../../../protocol/remote-command.ts";
import type { DirectRequest } from "../../../client/direct.ts";
import type { Access, App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import { ContainerParams } from "../input.ts";
import type { Limits } from "../../../door/options.ts";
import { RemoteCommand, type Wanted } from "../remote-command.ts";
import { SessionSocket } from "../session-socket.ts";
import { goneSignal, stay } from "../../../door/stay.ts";
import { type Desk, REFUSALS, visitOf } from "../visit.ts";

export interface ProcessParts extends Desk {
  limits: Limits;
}

interface Wish {
  request: DirectRequest;
  wanted: Wanted;
}

const WORDS =
  "Kubernetes' remote command protocol; flags follow its rule: absent, `false` and `0` are false (docs/api.md).";

export function addProcesses(app: App, parts: ProcessParts): void {
  const declared = { description: WORDS, params: ContainerParams, problems: REFUSALS };
  addDoor(app, "/api/v1/containers/:ref/attach", {
    // Which right an attach takes depends on whether it writes: the desk knows.
    access: "signed-in",
    schema: { ...declared, summary: "A container's main process.", querystring: AttachQuery },
    read: (request) => readAttach(refOf(request), request.query as AttachQuery),
    parts,
  });
  addDoor(app, "/api/v1/containers/:ref/exec", {
    access: "exec",
    schema: { ...declared, summary: "A command in a container.", querystring: ExecQuery },
    read: (request) => readExec(refOf(request), request.query as ExecQuery),
    parts,
  });
}

interface ProcessDoor {
  access: Access;
  schema: FastifySchema;
  /** What the request, which is as its schema says, asks for. */
  read: (request: FastifyRequest) => Wish;
  parts: ProcessParts;
}

function addDoor(app: App, url: string, { access, schema, read, parts }: ProcessDoor): void {
  // What can be refused is refused before the upgrade, and nothing runs before it: some clients then try another protocol.
  const check = async (request: FastifyRequest, reply: FastifyReply) => {
    await parts.sessions.check(read(request).request, visitOf(request, parts, goneSignal(reply.raw)));
  };
  const options = { config: { access, speaks: [V5, V4] }, schema, preHandler: check };
  app.get(url, { websocket: true, ...options }, (ws, request) => {
    stay(callerOf(request), ws, () => ws.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const socket = new SessionSocket(ws, parts.limits);
    const { request: asked, wanted } = read(request);
    const visit = visitOf(request, parts, goneSignal(ws));
    return new RemoteCommand(socket, wanted).serve(parts.sessions.open(asked, visit));
  });
}

function readExec(container: string, query: ExecQuery): Wish {
  const wanted = wantedOf(query);
  const command = [query.command].flat();
  const body = parseInput(ExecBody, { command, tty: isSet(query.tty), stdin: wanted.stdin });
  return { wanted, request: { header: { op: "exec", container, onDrop: "kill" }, body } };
}

function readAttach(container: string, query: AttachQuery): Wish {
  const wanted = wantedOf(query);
  return { wanted, request: { header: { op: "attach", container, onDrop: "kill" }, body: wanted } };
}

function refOf({ params }: FastifyRequest): string {
  return (params as z.output<typeof ContainerParams>).ref;
}

/** A terminal has one output. */
function wantedOf(query: AttachQuery): Wanted {
  const wanted = {
    stdin: isSet(query.stdin),
    stdout: isSet(query.stdout),
    stderr: isSet(query.stderr) && !isSet(query.tty),
  };
  if (wanted.stdin || wanted.stdout || wanted.stderr) return wanted;
  throw new FairleadError("bad-request", "Ask for stdin, stdout or stderr: at least one of them.");
}
