import { longName, quantity } from "../metrics";
import type { Result, Standing } from "../types";

/** An experiment's values, without a baseline to compare with. */
export function ValueFigures({ result, standing }: { result: Result; standing: Standing }) {
  return (
    <div className="flex flex-wrap gap-x-10 gap-y-4">
      {result.objectives.map((objective, index) => {
        const score = standing.scores[index];
        return (
          score && (
            <div key={`${objective.metric}.${objective.statistic}`} className="min-w-0">
              <div className="text-xs font-medium text-muted first-letter:uppercase">
                {longName(objective)}
              </div>
              <div className="num text-2xl font-semibold tracking-tight">
                {quantity(objective.metric, score.value)}
              </div>
              <div className="text-sm text-faint">experiment #{standing.number}</div>
            </div>
          )
        );
      })}
    </div>
  );
}
