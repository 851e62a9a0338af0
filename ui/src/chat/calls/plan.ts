/** The plan in an approval of `start_task`, parsed from the untyped preview. Pure. */

import { asObject, asNumber, asText, asTexts } from "@/format/json";
import type { Approval } from "../thread/model";

const text = (value: unknown) => asText(value) ?? "";

/** Null: the preview has no plan. */
export function planOfPreview(preview: Approval["preview"]) {
  const plan = asObject(preview.plan);
  const experiments = asNumber(plan.experiments);
  if (experiments === null) return null;
  return {
    task: text(preview.id),
    name: text(preview.name),
    engine: [text(plan.engine), text(plan.engine_version)].filter(Boolean).join(" "),
    experiments,
    experimentsDone: asNumber(preview.experiments_done) ?? 0,
    baseline: plan.baseline === true,
    candidates: asNumber(plan.candidates) ?? 0,
    confirmations: asNumber(plan.confirmations) ?? 0,
    confirming: text(plan.confirming),
    levels: asTexts(plan.levels),
    gpus: asNumber(plan.gpus) ?? 0,
    atMost: text(plan.at_most),
    worker: text(preview.worker),
    commands: asTexts(plan.commands),
    slos: asTexts(plan.slos),
    warnings: asTexts(plan.warnings),
    missing: asTexts(plan.missing),
    skipped: asTexts(plan.skipped),
  };
}

export type StartPlan = NonNullable<ReturnType<typeof planOfPreview>>;

/** `baseline, 8 candidates, about 12 confirmations, at most 32; a gain of 21 % or more shows at …`. */
export function experimentCounts({ baseline, candidates, confirmations, confirming }: StartPlan): string {
  const of = (count: number, name: string) => (count > 0 ? `${count} ${name}${count === 1 ? "" : "s"}` : "");
  return [
    baseline ? "baseline" : "",
    of(candidates, "candidate"),
    confirming || of(confirmations, "confirmation"),
  ]
    .filter(Boolean)
    .join(", ");
}
