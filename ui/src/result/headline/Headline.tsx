import { FlaskConical } from "lucide-react";
import { Badge, Card } from "@/kit";
import type { Result } from "../types";
import { GainFigure } from "./GainFigure";
import { confirmationsOf, verdictOf, leadingStanding, operatingPoints } from "./verdict";
import { SloTable } from "./SloTable";
import { ValueFigures } from "./ValueFigures";

/** The verdict: gain, confidence, operating point and SLOs. */
export function Headline({ result }: { result: Result }) {
  const said = verdictOf(result);
  const best = leadingStanding(result);
  const points = best ? operatingPoints(result, best) : [];
  const again = best ? confirmationsOf(result, best.number).length : 0;
  return (
    <Card aria-label="Outcome">
      <div className="grid gap-x-10 gap-y-6 lg:grid-cols-[minmax(0,5fr)_minmax(0,4fr)]">
        <div className="min-w-0 space-y-3">
          <div className="flex flex-wrap items-center gap-2">
            <Badge intent={said.intent}>{said.label}</Badge>
            {said.soFar && <Badge intent="accent">So far</Badge>}
            {result.simulated && (
              <Badge
                intent="warn"
                icon={<FlaskConical className="size-3" />}
                title="The numbers say nothing about real hardware."
              >
                Simulated
              </Badge>
            )}
          </div>
          {said.found && <p className="text-xl font-semibold tracking-tight">{said.found}</p>}
          {said.gains.length > 0 ? (
            <div className="flex flex-wrap gap-x-10 gap-y-4">
              {said.gains.map((gain) => (
                <GainFigure key={`${gain.objective.metric}.${gain.objective.statistic}`} change={gain} />
              ))}
            </div>
          ) : (
            best && <ValueFigures result={result} standing={best} />
          )}
          <p className="max-w-prose text-sm text-muted">{said.text}</p>
        </div>
        {best && (
          <div className="min-w-0 space-y-4 lg:border-l lg:border-line lg:pl-10">
            <section aria-label="Operating point">
              <h2 className="text-xs font-medium text-muted">Operating point of #{best.number}</h2>
              {points.map((point) => (
                <p key={point} className="num text-base font-medium">
                  {point}
                </p>
              ))}
            </section>
            <div className="space-y-1.5">
              <SloTable result={result} standing={best} fresh />
              {again > 1 && result.slos.length > 0 && (
                <p className="num text-xs text-muted">
                  Over {again} fresh measurements, with 95 % intervals.
                </p>
              )}
            </div>
          </div>
        )}
      </div>
    </Card>
  );
}
