import { useMemo } from "react";
import type { Schema } from "@/api";
import { count } from "@/format";
import { cx, Spinner } from "@/kit";
import { levelName } from "@/format/load";
import { type LevelColumn, levelColumns, levelsOf, type LoadLevel } from "@/liveTask/levels";
import type { CurrentExperiment } from "@/liveTask/reduce";

type Props = { spec: Schema<"TaskSpec">; now: CurrentExperiment | null; running: boolean };

const HEAD = "px-2 py-1.5 align-bottom text-xs font-medium text-muted first:pl-4 last:pr-4";
const CELL = "h-9 px-2 first:pl-4 last:pr-4";

/** Load levels of the current experiment, filled in as they are measured. */
export function LiveLoadLevels({ spec, now, running }: Props) {
  const figures = useMemo(() => levelColumns(spec.slo), [spec.slo]);
  const levels = levelsOf(spec.benchmark, now);
  return (
    <div
      className="max-h-80 overflow-auto border-t border-line"
      tabIndex={0}
      role="region"
      aria-label="Load levels"
    >
      <table className="w-full min-w-max text-sm">
        <thead>
          <tr className="border-b border-line">
            <th scope="col" className={cx(HEAD, "text-left")}>
              Load level
            </th>
            {figures.map((figure) => (
              <th key={figure.name} scope="col" className={cx(HEAD, "text-right")}>
                {figure.name}
                <span className="block font-normal text-faint">{figure.unit}</span>
              </th>
            ))}
            <th scope="col" className={cx(HEAD, "text-right")}>
              Sent
            </th>
          </tr>
        </thead>
        <tbody>
          {levels.map((level) => (
            <tr key={levelName(level)} className="border-b border-line last:border-0">
              <th
                scope="row"
                className={cx(
                  CELL,
                  "text-left font-normal",
                  !level.point && !level.measuring && "text-faint",
                )}
              >
                <span className="flex items-center gap-2">
                  <span className="font-mono text-xs">{levelName(level)}</span>
                  {level.measuring && running && <Spinner className="text-accent-text" />}
                </span>
              </th>
              <Cells level={level} figures={figures} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cells({ level: { point }, figures }: { level: LoadLevel; figures: readonly LevelColumn[] }) {
  if (!point) return <td colSpan={figures.length + 1} className={cx(CELL, "text-right text-faint")} />;
  if (point.failure !== null) {
    return (
      <td
        colSpan={figures.length + 1}
        className={cx(CELL, "max-w-96 truncate text-bad")}
        title={point.error ?? undefined}
      >
        {point.error ?? point.failure}
      </td>
    );
  }
  return (
    <>
      {figures.map((figure) => {
        const missed = figure.missed(point);
        return (
          <td
            key={figure.name}
            className={cx(CELL, "text-right", missed && "text-bad")}
            title={missed ?? undefined}
          >
            {figure.value(point)}
            {missed && <span className="sr-only"> {missed}</span>}
          </td>
        );
      })}
      <td className={cx(CELL, "text-right")}>
        {count(point.requests)}
        {point.failed > 0 && <span className="text-bad"> ({count(point.failed)} failed)</span>}
      </td>
    </>
  );
}
