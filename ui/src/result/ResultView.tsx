import { useMemo, useState } from "react";
import { ButtonLink, Empty, Page } from "@/kit";
import { ResultCharts } from "./ResultCharts";
import { contenders, MOST } from "./compare/compare";
import { CompareDialog } from "./compare/CompareDialog";
import { ExperimentDialog } from "./detail/ExperimentDialog";
import { ExportDialog } from "./export/ExportDialog";
import { Headline } from "./headline/Headline";
import { Winner } from "./headline/Winner";
import { createHighlight, HighlightContext } from "./highlight";
import { ResultHeading } from "./ResultHeading";
import { judgedRows, rows as rowsOf } from "./rows";
import { ExperimentsTable } from "./table/ExperimentsTable";
import { ToKnow } from "./ToKnow";
import type { Result } from "./types";
import { useSelection } from "./useSelection";

/** The result of a task: verdict, charts and table. */
export function ResultView({ result }: { result: Result }) {
  const rows = useMemo(() => rowsOf(result), [result]);
  const { compared, opened, comparing, open, compare, setComparing } = useSelection(MOST);
  const [marked, setMarked] = useState<Set<number> | null>(null);
  const link = useMemo(() => createHighlight(open), [open]);
  const shown = rows.find((row) => row.number === opened);
  return (
    <HighlightContext value={link}>
      <Page
        title={`${result.task_name}, result`}
        heading={<ResultHeading result={result} />}
        actions={<ExportDialog result={result} />}
      >
        <div className="space-y-4">
          <Headline result={result} />
          <Winner result={result} />
          {rows.length === 0 ? (
            <Empty
              title="Nothing has been measured yet"
              action={<ButtonLink to={`/tasks/${result.task_id}`}>To the task</ButtonLink>}
            >
              Results appear here as soon as the first experiment ends.
            </Empty>
          ) : (
            <>
              {judgedRows(rows).length > 0 && (
                <ResultCharts
                  result={result}
                  rows={rows}
                  compared={compared}
                  onMark={setMarked}
                  part="first"
                />
              )}
              <ExperimentsTable
                result={result}
                rows={rows}
                marked={marked}
                compared={compared}
                most={MOST}
                onCompare={compare}
                onShowComparison={() => setComparing(true)}
              />
              {judgedRows(rows).length > 0 && (
                <ResultCharts
                  result={result}
                  rows={rows}
                  compared={compared}
                  onMark={setMarked}
                  part="rest"
                />
              )}
              <ToKnow result={result} />
            </>
          )}
        </div>
      </Page>
      {shown && <ExperimentDialog result={result} row={shown} onClose={() => open(null)} onShow={open} />}
      {comparing && (
        <CompareDialog
          result={result}
          contenders={contenders(rows, compared)}
          onRemove={(number) => compare(number, false)}
          onClose={() => setComparing(false)}
        />
      )}
    </HighlightContext>
  );
}
