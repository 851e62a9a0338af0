import { Cpu, FlaskConical, HelpCircle, Zap } from "lucide-react";
import type { ReactNode } from "react";

type Suggestion = { icon: ReactNode; title: string; text: string };

const ICON = "size-4";
/** The offline model understands these texts. */
const SUGGESTIONS: readonly Suggestion[] = [
  {
    icon: <FlaskConical className={ICON} />,
    title: "Try it on the simulated engine",
    text: "tune the demo model on simulated for throughput with ttft p90 under 0.5 s over max-num-seqs 4, 16, 64",
  },
  {
    icon: <Zap className={ICON} />,
    title: "Tune the demo model on this machine",
    text: "tune the demo model for throughput with ttft p90 under 0.5 s over max-num-seqs 4, 16, 64",
  },
  { icon: <Cpu className={ICON} />, title: "What this machine has", text: "show my hardware" },
  { icon: <HelpCircle className={ICON} />, title: "All that can be asked", text: "help" },
];

type Props = { onChoose: (text: string) => void; disabled: boolean };

/** Suggested first messages. */
export function Suggestions({ onChoose, disabled }: Props) {
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center overflow-y-auto px-4 md:px-6">
      <div className="my-auto w-full max-w-3xl py-8">
        <h2 className="text-center text-2xl font-semibold tracking-tight">What shall run faster?</h2>
        <p className="mx-auto mt-2 max-w-lg text-center text-muted">
          Say which model matters and what must hold. The assistant plans, asks before anything runs, and
          reports what was measured.
        </p>
        <ul className="mt-6 grid gap-2 sm:grid-cols-2">
          {SUGGESTIONS.map((one) => (
            <li key={one.title}>
              <button
                type="button"
                disabled={disabled}
                onClick={() => onChoose(one.text)}
                className="flex h-full w-full items-start gap-3 rounded-lg border border-line bg-surface p-3 text-left hover:bg-hover disabled:opacity-60"
              >
                <span className="mt-0.5 text-faint">{one.icon}</span>
                <span className="min-w-0">
                  <span className="block text-sm font-medium">{one.title}</span>
                  <span className="line-clamp-2 text-xs text-muted">{one.text}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
