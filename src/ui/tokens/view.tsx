/** Who has a token of the server, for what and until when; one more, one less. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { age } from "../../lib/age.ts";
import type { TokenView } from "../../protocol/login.ts";
import { scopeWords } from "../../protocol/rights.ts";
import type { Account } from "../account.ts";
import { Confirm } from "../confirm.tsx";
import { Filter } from "../filter.tsx";
import { Headings } from "../headings.tsx";
import { Note } from "../note.tsx";
import { Problem } from "../problem.tsx";
import { mentions } from "../words.ts";
import { AddToken } from "./add.tsx";
import { Tokens } from "./tokens.ts";

export function TokensView({ account, shown }: { account: Account; shown: boolean }) {
  const tokens = useMemo(() => new Tokens(account), [account]);
  const filter = useSignal("");
  const adding = useSignal(false);
  const asking = useSignal<TokenView | undefined>(undefined);
  useEffect(() => {
    if (shown) void tokens.load();
  }, [shown, tokens]);
  const all = tokens.list.value;
  const found = all?.filter(({ name, by, rights, nodes = [] }) =>
    mentions([name, by, ...rights, ...nodes], filter.value),
  );
  const adder = useRefuge(all?.length ?? 0);
  const withdraw = (token: TokenView) => {
    asking.value = undefined;
    void tokens.withdraw(token);
  };
  return (
    <div class="records">
      <div class="toolbar">
        <button class="primary" ref={adder} onClick={() => (adding.value = true)}>
          New token
        </button>
        <Filter typed={filter} label="Filter tokens" />
        {all ? <Problem words={tokens.problem} /> : <Loading tokens={tokens} />}
      </div>
      {found?.length === 0 && <p class="nothing">{all?.length === 0 ? "There is no token." : "None matches."}</p>}
      {found && found.length > 0 && <TokenTable tokens={found} withdraw={(token) => (asking.value = token)} />}
      {adding.value && <AddToken tokens={tokens} close={() => (adding.value = false)} />}
      {asking.value && (
        <Confirm
          question={`Withdraw ${asking.value.name}?`}
          detail="Whoever has it is let in no more, and what was opened with it is ended."
          yes="Withdraw"
          onYes={() => asking.value && withdraw(asking.value)}
          onNo={() => (asking.value = undefined)}
        />
      )}
    </div>
  );
}

/** A button that gets the focus when a row has gone, and took the focus with it. */
function useRefuge(rows: number) {
  const button = useRef<HTMLButtonElement>(null);
  const before = useRef(rows);
  useEffect(() => {
    if (rows < before.current && document.activeElement === document.body) button.current?.focus();
    before.current = rows;
  }, [rows]);
  return button;
}

/** Until there is a list. */
function Loading({ tokens }: { tokens: Tokens }) {
  const problem = tokens.problem.value;
  if (problem === undefined) return <Note>Loading …</Note>;
  return (
    <Note look="broken">
      <span>{problem}</span>
      <button onClick={() => void tokens.load()}>Try again</button>
    </Note>
  );
}

interface TokenTableProps {
  tokens: readonly TokenView[];
  withdraw: (token: TokenView) => void;
}

function TokenTable({ tokens, withdraw }: TokenTableProps) {
  const now = Date.now();
  return (
    <table>
      <Headings names={["Name", "Rights", "Hosts", "Containers", "Made", "Ends"]} buttons />
      <tbody>
        {tokens.map((token) => (
          <tr key={token.name} data-name={token.name}>
            <th scope="row">{token.name}</th>
            <td>{token.rights.join(", ")}</td>
            <td data-label="Hosts:">{token.nodes?.join(", ") ?? "all"}</td>
            <td data-label="Containers:">{token.scopes.map(scopeWords).join(" or ") || "all"}</td>
            <td data-label="Made" title={new Date(token.created).toLocaleString()}>
              {age(now - token.created)} ago <span class="quiet">by {token.by}</span>
            </td>
            <td
              data-label="Ends"
              title={token.expires === undefined ? undefined : new Date(token.expires).toLocaleString()}
            >
              {token.expires === undefined ? "when withdrawn" : `in ${age(token.expires - now)}`}
            </td>
            <td class="actions">
              <button class="danger" aria-label={`Withdraw ${token.name}`} onClick={() => withdraw(token)}>
                Withdraw
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
