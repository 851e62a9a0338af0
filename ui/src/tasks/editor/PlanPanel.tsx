import { Card, Code, cx, ErrorMessage, Loading } from "@/kit";
import type { Place } from "../spec/places";
import { PlanFigures } from "./PlanFigures";
import { PlanNotes } from "./PlanNotes";
import { Problems } from "./Problems";
import type { usePlan } from "./usePlan";

type Props = {
  plan: ReturnType<typeof usePlan>;
  problems: readonly Place[];
  /** Goes to a place; without it problems are only said. */ onShow?: (place: Place) => void;
};

/** The plan of the task as it is written now. */
export function PlanPanel({ plan, problems, onShow }: Props) {
  const summary = problems.length === 0 ? plan.data?.plan : null;
  return (
    <Card
      title="Plan"
      aria-busy={plan.stale}
      actions={
        <span className="text-xs text-muted">
          {plan.stale ? "Checking …" : plan.isError ? "" : "As written now"}
        </span>
      }
    >
      <div className={cx("space-y-4", plan.stale && plan.data && "opacity-60")}>
        {plan.isError && <ErrorMessage compact error={plan.error} onRetry={() => void plan.refetch()} />}
        {plan.isPending && problems.length === 0 && <Loading label="The plan" lines={5} />}
        {problems.length > 0 && <Problems problems={problems} onShow={onShow} />}
        {summary && (
          <>
            <PlanFigures plan={summary} />
            <PlanNotes plan={summary} />
            {summary.commands.length > 0 && (
              <section>
                <h3 className="mb-1.5 text-sm font-medium">First commands</h3>
                <div className="space-y-2">
                  {summary.commands.map((command) => (
                    <Code key={command} text={command} wrap maxHeight="9rem" />
                  ))}
                </div>
              </section>
            )}
          </>
        )}
      </div>
    </Card>
  );
}
