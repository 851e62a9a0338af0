import { Badge, cx } from "@/kit";
import type { Result, Standing } from "../types";
import { type SloVerdict, sloRows } from "./verdict";
import { SloMark } from "./SloMark";

const TEXTS: Partial<Record<SloVerdict, string>> = { missed: "text-bad", too_close: "text-warn" };
const BARS: Record<SloVerdict, string> = { met: "bg-ok", missed: "bg-bad", too_close: "bg-warn" };

type Props = {
  result: Result;
  standing: Standing;
  /** Judge by confirmations, if there are any. */
  fresh?: boolean;
};

/** The SLOs at the operating point: met or missed, by how much, and which one binds. */
export function SloTable({ result, standing, fresh }: Props) {
  const rows = sloRows(result, standing, fresh);
  if (rows.length === 0) {
    return <p className="text-sm text-muted">This task has no SLOs: only the objective counted.</p>;
  }
  const compared = rows.some((row) => row.baseline);
  return (
    <div className="min-w-0 overflow-x-auto">
      <table className="w-full text-sm">
        <caption className="sr-only">SLOs at the operating point</caption>
        <thead className="text-left text-xs text-muted">
          <tr className="[&>th]:pb-1 [&>th]:font-medium">
            <th scope="col">SLO</th>
            <th scope="col" className="text-right">
              #{standing.number}
            </th>
            <th scope="col" className="pl-4 text-right">
              Limit
            </th>
            {compared && (
              <th scope="col" className="pl-4 text-right">
                Baseline
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} className="border-t border-line align-top [&>*]:py-1.5">
              <th scope="row" className="text-left font-normal">
                <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                  <SloMark verdict={row.verdict} />
                  <span title={row.long}>{row.name}</span>
                  {row.binds && <Badge title="The closest to its limit, or furthest past it">binds</Badge>}
                  {!row.hard && <span className="text-xs text-faint">soft</span>}
                </span>
                <Gauge part={row.part} verdict={row.verdict} />
              </th>
              <td className="num text-right">
                <span className={cx("font-medium", TEXTS[row.verdict])}>{row.actual}</span>
                {row.interval && (
                  <span className="block whitespace-nowrap text-xs text-muted">{row.interval}</span>
                )}
                <span className="block whitespace-nowrap text-xs text-muted">
                  {row.verdict === "too_close" ? "too close to say" : row.margin}
                </span>
              </td>
              <td className="num whitespace-nowrap pl-4 text-right text-muted">{row.limit}</td>
              {compared && (
                <td className="num whitespace-nowrap pl-4 text-right">
                  {row.baseline && (
                    <span className={TEXTS[row.baseline.verdict] ?? "text-muted"}>
                      {row.baseline.actual}
                      {row.baseline.verdict !== "met" && (
                        <span className="block text-xs">
                          {row.baseline.verdict === "missed" ? "missed" : "too close to say"}
                        </span>
                      )}
                    </span>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Bar of the used part of the limit, with a mark at the limit. */
function Gauge({ part, verdict }: { part: number; verdict: SloVerdict }) {
  return (
    <span className="relative mt-1.5 block h-1 max-w-48 rounded-full bg-hover" aria-hidden="true">
      <span
        className={cx("block h-full rounded-full", BARS[verdict])}
        style={{ width: `${Math.min(1, part * 0.75) * 100}%` }}
      />
      <span className="absolute -top-0.5 left-3/4 h-2 w-px bg-text" />
    </span>
  );
}
