import type { Schema } from "@/api";
import { count, duration, percent, plural } from "@/format";

/** `10 % noise, if that is what it is here,`. */
function noiseText(noise: number | null): string {
  return noise === null
    ? "10 % noise, if that is what it is here,"
    : `${percent(noise)} noise, as it was here,`;
}

/** Figures of a plan: experiments, GPUs, time, load levels. */
export function PlanFigures({ plan }: { plan: Schema<"PlanSummary"> }) {
  const { experiments, baseline, candidates, confirmations, valid, levels, gpus, at_most_s, slos } = plan;
  const parts = [
    baseline ? "the baseline" : "",
    candidates > 0 ? plural(candidates, "candidate") : "",
    confirmations > 0 ? `about ${count(plan.expected_confirmations)} confirmations` : "",
  ].filter(Boolean);
  const rows = [
    [
      "Experiments",
      experiments === candidates + confirmations + Number(baseline)
        ? count(experiments)
        : `at most ${count(experiments)}`,
      parts.join(", "),
    ],
    [
      "Search space",
      valid === null ? "very large" : count(valid),
      valid === null ? "too many to list" : "valid configurations",
    ],
    ...(confirmations > 0
      ? [
          [
            "Proof",
            plan.visible_gain === null ? "none" : `${percent(plan.visible_gain)} or more`,
            plan.visible_gain === null
              ? "confirmations without a baseline prove no gain"
              : `is the gain that ${noiseText(plan.noise)} lets show; ${plural(confirmations, "confirmation")} at most`,
          ] as const,
        ]
      : []),
    ["Load levels", count(levels.length), levels.join(" · ")],
    ["GPUs", gpus === 0 ? "none" : count(gpus), gpus === 0 ? "runs on processors" : "at once, at most"],
    ["Time", duration(at_most_s), "if every experiment takes its whole limit"],
    ...(slos.length > 0 ? [["SLOs", count(slos.length), slos.join(" · ")] as const] : []),
  ] as const;
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-2 text-sm">
      {rows.map(([name, value, detail]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd>
            <span className="num font-semibold">{value}</span>
            {detail && <span className="block text-xs text-muted">{detail}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
