import type { LiveExperiment } from "@/liveTask/reduce";
import { ParamsText } from "./ParamsText";

/** What an experiment measures, in a line: most are candidates, the others say what they are for. */
export function Configuration({ experiment: { role, params } }: { experiment: LiveExperiment }) {
  return (
    <span className="whitespace-nowrap">
      {role !== "candidate" && <span className="mr-2 text-muted">{role}</span>}
      {role !== "baseline" && <ParamsText params={params} />}
    </span>
  );
}
