/** The doors for clients that speak Kubernetes' remote command protocol: one WebSocket, one exec or attach. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ERRORS, FairleadError } from "../../../protocol/errors.ts";
import { ExecBody } from "../../../protocol/open.ts";
import { AttachQuery, ExecQuery, isSetForKubernetes as isSet } from "../../../protocol/query.ts";
import { V4, V5 } from "../../../protocol/remote-command.ts";
import type { DirectRequest } from "../../session/direct.ts";
import { callerOf } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import { ContainerParams } from "../input.ts";
import type { Limits } from "../../../door/options.ts";
import { RemoteCommand, type Wanted } from "../remote-command.ts";
import { SessionSocket } from "../session-socket.ts";
import { speaks } from "../../../door/sockets.ts";
import { goneSignal, stay } from "../../../door/stay.ts";
import { type Desk, visitOf } from "../visit.ts";

export interface ProcessParts extends Desk {
  limits: Limits;
}

interface Wish {
  request: DirectRequest;
  wanted: Wanted;
}

type Read = (request: FastifyRequest) => Wish;

export function addProcesses(app: FastifyInstance, parts: ProcessParts): void {
  // Which right an attach takes depends on whether it writes: the desk knows.
  addDoor(app, "/api/v1/containers/:ref/attach", { access: "signed-in", read: readAttach, parts });
  addDoor(app, "/api/v1/containers/:ref/exec", { access: "exec", read: readExec, parts });
}

function addDoor(
  app: FastifyInstance,
  url: string,
  { access, read, parts }: { access: "signed-in" | "exec"; read: Read; parts: ProcessParts },
): void {
  // What can be refused is refused before the upgrade, and nothing runs before it: some clients then try another protocol.
  const check = async (request: FastifyRequest, reply: FastifyReply) => {
    await parts.sessions.check(read(request).request, visitOf(request, parts, goneSignal(reply.raw)));
  };
  const options = { config: { access, socket: true }, preHandler: [speaks(V5, V4), check] };
  app.get(url, { websocket: true, ...options }, (ws, request) => {
    stay(callerOf(request), ws, () => ws.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const socket = new SessionSocket(ws, parts.limits);
    const { request: asked, wanted } = read(request);
    const visit = visitOf(request, parts, goneSignal(ws));
    return new RemoteCommand(socket, wanted).serve(parts.sessions.open(asked, visit));
  });
}

function readExec(request: FastifyRequest): Wish {
  const { ref } = parseInput(ContainerParams, request.params);
  const query = parseInput(ExecQuery, request.query);
  const wanted = wantedOf(query);
  const command = [query.command].flat();
  const body = parseInput(ExecBody, { command, tty: isSet(query.tty), stdin: wanted.stdin });
  return { wanted, request: { header: { op: "exec", container: ref, onDrop: "kill" }, body } };
}

function readAttach(request: FastifyRequest): Wish {
  const { ref } = parseInput(ContainerParams, request.params);
  const wanted = wantedOf(parseInput(AttachQuery, request.query));
  return { wanted, request: { header: { op: "attach", container: ref, onDrop: "kill" }, body: wanted } };
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
