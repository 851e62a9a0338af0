/** The plan that an approval of `start_task` carries. The service sends previews untyped: each part is looked at. Pure. */

import { blockOf, numberOf, textOf, textsOf } from "../json";
import type { Approval } from "../thread/model";

const text = (value: unknown) => textOf(value) ?? "";

/** Null: the preview has no plan. */
export function planOf(preview: Approval["preview"]) {
  const plan = blockOf(preview.plan);
  const experiments = numberOf(plan.experiments);
  if (experiments === null) return null;
  return {
    task: text(preview.id),
    name: text(preview.name),
    engine: [text(plan.engine), text(plan.engine_version)].filter(Boolean).join(" "),
    experiments,
    experimentsDone: numberOf(preview.experiments_done) ?? 0,
    baseline: plan.baseline === true,
    candidates: numberOf(plan.candidates) ?? 0,
    confirmations: numberOf(plan.confirmations) ?? 0,
    levels: textsOf(plan.levels),
    gpus: numberOf(plan.gpus) ?? 0,
    atMost: text(plan.at_most),
    worker: text(preview.worker),
    commands: textsOf(plan.commands),
    warnings: textsOf(plan.warnings),
    missing: textsOf(plan.missing),
    skipped: textsOf(plan.skipped),
  };
}

export type StartPlan = NonNullable<ReturnType<typeof planOf>>;

/** `baseline, 8 candidates, 2 confirmations`. */
export function made({ baseline, candidates, confirmations }: StartPlan): string {
  const of = (count: number, name: string) => (count > 0 ? `${count} ${name}${count === 1 ? "" : "s"}` : "");
  return [baseline ? "baseline" : "", of(candidates, "candidate"), of(confirmations, "confirmation")]
    .filter(Boolean)
    .join(", ");
}
