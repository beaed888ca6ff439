/** Records of an audit log, a row each. */

import { roundSize } from "../../lib/size.ts";
import { auditOutcome, type AuditRecord, auditTarget } from "../../protocol/audit.ts";
import { Headings } from "../headings.tsx";

export function AuditTable({ records }: { records: readonly AuditRecord[] }) {
  return (
    <table>
      <Headings names={["Time", "Who", "Event", "Target", "Outcome"]} />
      <tbody>
        {records.map((record) => (
          <Row key={record.seq} record={record} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ record }: { record: AuditRecord }) {
  const { time, subject, remote, event, kind, command = [] } = record;
  return (
    <tr>
      <td class="time">{new Date(time).toLocaleString()}</td>
      <td>
        {subject} <span class="quiet">{remote}</span>
      </td>
      <td class="event">
        {event} {kind}
      </td>
      <td>
        {auditTarget(record)} {command.length > 0 && <code>{command.join(" ")}</code>}
      </td>
      <td>
        {auditOutcome(record)} <span class="quiet">{traffic(record)}</span>
      </td>
    </tr>
  );
}

/** Of a session that ended. */
function traffic({ bytesIn, bytesOut, duration }: AuditRecord): string {
  const words = [
    duration !== undefined && `${(duration / 1_000).toFixed(1)} s`,
    bytesIn !== undefined && `${roundSize(bytesIn, 1000)} in`,
    bytesOut !== undefined && `${roundSize(bytesOut, 1000)} out`,
  ];
  return words.filter(Boolean).join(", ");
}
