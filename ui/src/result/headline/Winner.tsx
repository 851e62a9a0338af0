import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Card, Code, ErrorMessage, Loading } from "@/kit";
import { command as commandOf } from "../export/artifacts";
import { paramChanges, valueText } from "../params";
import type { Result } from "../types";

/** The winning configuration: changed parameters and command. */
export function Winner({ result, actions }: { result: Result; actions?: ReactNode }) {
  const command = useQuery({ ...commandOf(result), enabled: result.winner !== null });
  const best = result.experiments.find((one) => one.number === result.winner);
  const base = result.experiments.find((one) => one.number === result.baseline);
  if (!best) return null;
  const changed = paramChanges(base?.params ?? { flags: {}, env: {}, parallel: {}, quant: {} }, best.params);
  return (
    <Card title="What to run" actions={actions}>
      <div className="grid gap-x-10 gap-y-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
        {changed.length === 0 ? (
          <p className="text-sm text-muted">The engine’s defaults, as the baseline ran them.</p>
        ) : (
          <table className="h-fit w-full text-sm">
            <caption className="sr-only">What differs from the baseline</caption>
            <thead className="text-left text-xs text-muted">
              <tr className="[&>th]:pb-1 [&>th]:font-medium">
                <th scope="col">Parameter</th>
                <th scope="col" className="text-right">
                  Baseline
                </th>
                <th scope="col" className="pl-4 text-right">
                  {result.verdict.outcome === "proven" ? "Winner" : "Best measured"}
                </th>
              </tr>
            </thead>
            <tbody>
              {changed.map((one) => (
                <tr key={one.name} className="border-t border-line [&>*]:py-1">
                  <th scope="row" className="break-all text-left font-mono text-xs font-normal">
                    {one.name}
                  </th>
                  <td className="num text-right text-faint">{valueText(one.from)}</td>
                  <td className="num break-all pl-4 text-right font-medium">{valueText(one.to)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {command.isPending ? (
          <Loading label="The command" height="7rem" />
        ) : command.isError ? (
          <ErrorMessage error={command.error} compact onRetry={() => void command.refetch()} />
        ) : (
          <Code text={command.data.trim()} title="Command" wrap maxHeight="14rem" />
        )}
      </div>
    </Card>
  );
}
