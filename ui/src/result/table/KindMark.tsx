import { cx, Spinner } from "@/kit";
import { failureName, type Kind, type Row } from "../rows";

const KINDS: Record<Kind, { dot: string; text: string }> = {
  best: { dot: "bg-accent-text", text: "best" },
  nearest: { dot: "bg-accent-text", text: "nearest" },
  baseline: { dot: "bg-chart-2", text: "baseline" },
  candidate: { dot: "bg-faint", text: "" },
  infeasible: { dot: "border-[1.5px] border-bad", text: "misses SLO" },
  failed: { dot: "bg-bad", text: "failed" },
  confirmation: { dot: "border-[1.5px] border-faint", text: "" },
  running: { dot: "", text: "running" },
};

/** An experiment's number with its mark: the same colours as in the charts. */
export function KindMark({ row }: { row: Pick<Row, "kind" | "number" | "experiment"> }) {
  const { dot, text } = KINDS[row.kind];
  const { failure, confirms } = row.experiment;
  const said =
    row.kind === "confirmation"
      ? `confirms #${confirms}`
      : row.kind === "baseline" && failure
        ? "baseline, failed"
        : (row.kind === "failed" && failure && failureName(failure)) || text;
  return (
    <span className="inline-flex items-center gap-2">
      {row.kind === "running" ? (
        <Spinner className="size-2.5" />
      ) : (
        <span className={cx("size-2 shrink-0 rounded-full", dot)} aria-hidden="true" />
      )}
      <span className="num font-medium">#{row.number}</span>
      {said && (
        <span className={cx("text-xs", failure || row.kind === "infeasible" ? "text-bad" : "text-muted")}>
          {said}
        </span>
      )}
    </span>
  );
}
