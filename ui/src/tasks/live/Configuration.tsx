import { ParamsText } from "./ParamsText";
import type { LiveExperiment } from "./reduce";

/** What an experiment measures, in a line: most are candidates, the others say what they are for. */
export function Configuration({ run: { role, params } }: { run: LiveExperiment }) {
  return (
    <span className="whitespace-nowrap">
      {role !== "candidate" && <span className="mr-2 text-muted">{role}</span>}
      {role !== "baseline" && <ParamsText params={params} />}
    </span>
  );
}
