/** What a container is, in words and tables; everything in it is text that others chose. */

import type { ContainerDetailView } from "../../protocol/container.ts";

export function Facts({ detail }: { detail: ContainerDetailView }) {
  return (
    <>
      <dl class="facts">
        {factsOf(detail).map(([label, words]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <Mounts mounts={detail.mounts} />
      <Labels labels={detail.labels} />
    </>
  );
}

/** In the order of interest; what does not apply is left out. */
function factsOf(detail: ContainerDetailView): [label: string, words: string][] {
  const { project, service, number, state } = detail;
  const all: [string, string | undefined][] = [
    ["State", [state, detail.status].filter(Boolean).join(": ")],
    ["Health", detail.health],
    ["Exit code", state === "running" ? undefined : detail.exitCode?.toString()],
    ["Image", detail.image],
    ["Command", detail.command],
    ["Project", project && [project, service, number].filter((part) => part !== undefined).join(" / ")],
    ["Networks", detail.networks.join(", ")],
    ["Restart policy", detail.restartPolicy],
    ["Terminal", detail.tty ? "yes" : "no"],
    ["Takes input", detail.openStdin ? "yes" : "no"],
    ["Created", moment(detail.created)],
    ["Started", moment(detail.startedAt)],
    ["Ended", state === "running" ? undefined : moment(detail.finishedAt)],
    ["Id", detail.id],
  ];
  return all.flatMap(([label, words]) => (words ? [[label, words]] : []));
}

function moment(time: string | number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toLocaleString();
}

function Mounts({ mounts }: Pick<ContainerDetailView, "mounts">) {
  if (mounts.length === 0) return null;
  return (
    <table class="table">
      <caption>Mounts</caption>
      <thead>
        <tr>
          <th scope="col">In the container</th>
          <th scope="col">From</th>
          <th scope="col">Kind</th>
        </tr>
      </thead>
      <tbody>
        {mounts.map(({ destination, source, type, readOnly }) => (
          <tr key={destination}>
            <td>{destination}</td>
            <td>{source}</td>
            <td>
              {type}
              {readOnly && ", read-only"}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Labels({ labels }: Pick<ContainerDetailView, "labels">) {
  const all = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (all.length === 0) return null;
  return (
    <table class="table">
      <caption>Labels</caption>
      <tbody>
        {all.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
