import { useCallback, useMemo, useState } from "react";
import type { Palette } from "@/charts";
import { plural } from "@/format";
import type { Row } from "../rows";
import type { Result } from "../types";
import { course, courseOption, courseOverlay, courseTable } from "./course";
import { LinkedChart } from "./LinkedChart";
import { ObjectiveSelect } from "./ObjectiveSelect";

/** How the search went, experiment by experiment. */
export function CourseChart({ result, rows }: { result: Result; rows: readonly Row[] }) {
  const [which, setWhich] = useState(0);
  const data = useMemo(() => course(result, rows, which), [result, rows, which]);
  const option = useCallback((palette: Palette) => (data ? courseOption(data, palette) : {}), [data]);
  const overlay = useCallback((number: number | null) => (data ? courseOverlay(data, number) : []), [data]);
  if (!data) return null;
  return (
    <LinkedChart
      title="Course of the search"
      name={`${result.task_name} course of the search`}
      summary={`${plural(data.points.length, "experiment")} in the order they were measured, and the best so far; ${data.failed.length} failed.`}
      option={option}
      overlay={overlay}
      overlayType="scatter"
      table={courseTable(data)}
      controls={<ObjectiveSelect result={result} value={which} onChange={setWhich} />}
    />
  );
}
