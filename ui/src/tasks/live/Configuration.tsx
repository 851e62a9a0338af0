import type { LiveExperiment } from "@/liveTask/reduce";
import { ParamsText } from "./ParamsText";

/** An experiment's parameters in a line; its role unless it is a candidate. */
export function Configuration({ experiment: { role, params } }: { experiment: LiveExperiment }) {
  return (
    <span className="whitespace-nowrap">
      {role !== "candidate" && <span className="mr-2 text-muted">{role}</span>}
      {role !== "baseline" && <ParamsText params={params} />}
    </span>
  );
}
