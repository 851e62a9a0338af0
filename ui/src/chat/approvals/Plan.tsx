import { Link } from "react-router";
import { plural } from "@/format";
import { Code } from "@/kit";
import { experimentCounts, type StartPlan } from "../calls/plan";
import { Warning } from "./Warning";

/** Plan of a task that is to be started. */
export function Plan({ plan }: { plan: StartPlan }) {
  const figures: [string, string, string][] = [
    ["Experiments", `at most ${plan.experiments}`, experimentCounts(plan)],
    ["Load", plural(plan.levels.length, "level"), plan.levels.join(", ")],
    [
      "GPUs",
      plan.gpus === 0 ? "none" : String(plan.gpus),
      plan.gpus === 0 ? "runs on the CPU" : "for one experiment",
    ],
    ["Time", plan.atMost === "" ? "–" : `at most ${plan.atMost}`, "if every experiment takes its limit"],
  ];
  return (
    <div className="space-y-3">
      <p className="text-sm">
        <Link to={`/tasks/${plan.task}`} className="font-semibold hover:underline">
          {plan.name}
        </Link>{" "}
        <span className="text-muted">
          on {plan.engine}
          {plan.experimentsDone > 0 && `, ${plural(plan.experimentsDone, "experiment")} done already`}.{" "}
          {plan.worker}
        </span>
      </p>
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4">
        {figures.map(([name, value, detail]) => (
          <div key={name} className="min-w-0 bg-surface px-3 py-2">
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="num text-sm font-semibold">{value}</dd>
            <dd className="line-clamp-2 text-xs text-muted" title={detail}>
              {detail}
            </dd>
          </div>
        ))}
      </dl>
      {plan.slos.length > 0 && (
        <p className="text-sm">
          <span className="text-muted">Must hold:</span> {plan.slos.join(" · ")}
        </p>
      )}
      {[...plan.missing, ...plan.warnings].map((text) => (
        <Warning key={text} text={text} />
      ))}
      {plan.commands.length > 0 && (
        <details className="group text-sm">
          <summary className="text-muted hover:text-text">
            The first {plural(plan.commands.length, "command")}
          </summary>
          <div className="mt-2">
            <Code title="Commands" text={plan.commands.join("\n\n")} maxHeight="14rem" wrap />
          </div>
        </details>
      )}
    </div>
  );
}
