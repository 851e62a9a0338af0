import type { Row } from "../rows";

export type Filter = "all" | "feasible" | "missed" | "failed" | "confirmations";

export const FILTERS: readonly { value: Filter; label: string }[] = [
  { value: "all", label: "All" },
  { value: "feasible", label: "SLOs met" },
  { value: "missed", label: "SLO missed" },
  { value: "failed", label: "Failed" },
  { value: "confirmations", label: "Confirmations" },
];

const TESTS: Record<Filter, (row: Row) => boolean> = {
  all: () => true,
  feasible: (row) => row.standing?.feasible === true && row.kind !== "confirmation",
  missed: (row) => row.kind === "infeasible" || row.kind === "nearest",
  failed: (row) => row.kind === "failed" || row.experiment.state === "failed",
  confirmations: (row) => row.kind === "confirmation",
};

/** Experiments that pass a filter and are selected in a chart; always the baseline. */
export function kept(rows: readonly Row[], filter: Filter, marked: Set<number> | null): Row[] {
  return rows.filter(
    (row) => row.kind === "baseline" || (TESTS[filter](row) && (marked === null || marked.has(row.number))),
  );
}
