import { Check } from "lucide-react";
import { cx, Duration, Spinner } from "@/kit";
import type { CurrentExperiment } from "@/liveTask/reduce";

type Props = { now: CurrentExperiment | null; running: boolean; failed: boolean; cancelling: boolean };

const STEPS = [
  { phase: "starting", name: "Engine starts" },
  { phase: "warming up", name: "Warm-up" },
  { phase: "measuring", name: "Measuring" },
] as const;

/** Phase of the current experiment. */
export function Phases({ now, running, failed, cancelling }: Props) {
  const at = STEPS.findIndex((step) => step.phase === now?.phase);
  const done = now?.phase === "done" && !failed;
  return (
    <ol className="flex flex-wrap items-center gap-x-5 gap-y-1 text-sm" aria-label="Phases">
      {STEPS.map(({ phase, name }, index) => {
        const passed = done || (at >= 0 && index < at);
        const here = running && index === at;
        return (
          <li
            key={phase}
            aria-current={here ? "step" : undefined}
            className={cx(
              "flex items-center gap-1.5",
              here ? "font-medium" : passed ? "text-muted" : "text-faint",
            )}
          >
            <span className="flex size-4 items-center justify-center">
              {here ? (
                <Spinner className="text-accent-text" />
              ) : passed ? (
                <Check className="size-3.5 text-ok" aria-label="done" />
              ) : (
                <span className="size-1.5 rounded-full bg-line-strong" />
              )}
            </span>
            {name}
            {here && now && (
              <Duration since={now.since} className="min-w-20 whitespace-nowrap font-normal text-muted" />
            )}
          </li>
        );
      })}
      {cancelling && <li className="text-warn">Cancelling: the engine is being stopped …</li>}
    </ol>
  );
}
