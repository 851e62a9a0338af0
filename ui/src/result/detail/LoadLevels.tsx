import { levelName, loadText } from "@/format/load";
import { latency, number, percent } from "@/format";
import { Empty } from "@/kit";
import type { Row } from "../rows";
import type { LoadPoint } from "../types";
import { LevelNotes } from "./LevelNotes";

const HEAD = [
  "Load",
  "Output tok/s",
  "Req/s",
  "TTFT mean",
  "TTFT p90",
  "TPOT mean",
  "TPOT p90",
  "Latency mean",
  "Latency p90",
  "Requests",
  "Failed",
];

/** Table of measured load levels. */
export function LoadLevels({ row }: { row: Row }) {
  const { points } = row.experiment;
  if (points.length === 0)
    return <Empty title="No load level was measured">It ended before the first one did.</Empty>;
  const several = new Set(points.map((point) => point.scenario)).size > 1;
  const time = (seconds: number | undefined) => (seconds === undefined ? "–" : latency(seconds));
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Load levels">
      <table className="w-full whitespace-nowrap text-right text-sm">
        <thead className="text-xs text-muted">
          <tr>
            {HEAD.map((name, index) => (
              <th
                key={name}
                scope="col"
                className={`px-2 pb-1 font-medium ${index === 0 ? "text-left" : ""}`}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={levelName(point)} className="border-t border-line [&>*]:px-2 [&>*]:py-1.5">
              <th scope="row" className="text-left font-medium">
                {several ? levelName(point) : loadText(point)}
              </th>
              {point.failure ? (
                <td colSpan={HEAD.length - 1} className="whitespace-normal text-left text-bad">
                  {point.error ?? point.failure}
                </td>
              ) : (
                <>
                  <td>{number(point.output_tokens_per_s)}</td>
                  <td>{number(point.requests_per_s)}</td>
                  <td>{time(point.ttft?.mean)}</td>
                  <td>{time(point.ttft?.p90)}</td>
                  <td>{time(point.tpot?.mean)}</td>
                  <td>{time(point.tpot?.p90)}</td>
                  <td>{time(point.e2e_latency?.mean)}</td>
                  <td>{time(point.e2e_latency?.p90)}</td>
                  <td>{point.requests}</td>
                  <td className={point.failed > 0 ? "text-bad" : "text-faint"}>{failedText(point)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <LevelNotes points={points} />
    </div>
  );
}

/** `3 (2 %), 1 never answered` */
function failedText({ failed, unanswered, requests }: LoadPoint): string {
  if (failed === 0) return "0";
  const share = `${failed} (${percent(failed / Math.max(1, requests))})`;
  return unanswered === 0 ? share : `${share}, ${unanswered} never answered`;
}
