import { useQuery } from "@tanstack/react-query";
import { queries, type Schema } from "@/api";
import { Card } from "@/kit";
import { ListField } from "./ListField";

type Degree = Exclude<keyof Schema<"ParallelConfigInput">, "presets" | "enable_expert_parallel">;
/** Words of this form for the degrees that a task file has: no table of the service has them. */
const DEGREES: Record<Degree, string> = {
  tp: "Tensor parallel",
  pp: "Pipeline parallel",
  dp: "Data parallel",
  ep: "Expert parallel",
  dcp: "Decode context parallel",
  cp: "Context parallel",
  moe_tp: "MoE tensor parallel",
  moe_ep: "MoE expert parallel",
  moe_cluster: "MoE cluster",
  moe_dense_tp: "MoE dense tensor parallel",
};
const COMMON = 3;

/** Parallelism: the degrees to try. */
export function ParallelSection({ engine }: { engine: string }) {
  const engines = useQuery(queries.engines());
  const presets = engines.data?.find((one) => one.name === engine)?.parallel_presets ?? [];
  const fields = Object.entries(DEGREES).map(([name, title]) => (
    <ListField key={name} path={["parallel_config", name]} label={title} placeholder="1, 2, 4" />
  ));
  return (
    <Card title="Parallelism">
      <p className="mb-3 text-sm text-muted">
        One degree, or the degrees to try. What a machine has no GPUs for is skipped.
      </p>
      <div className="grid gap-4 sm:grid-cols-3">
        {fields.slice(0, COMMON)}
        {presets.length > 0 && (
          <ListField
            path={["parallel_config", "presets"]}
            label="Presets"
            suggestions={presets}
            help={presets.join(", ")}
            className="sm:col-span-3"
          />
        )}
      </div>
      <details className="mt-4">
        <summary className="text-sm text-muted hover:text-text">
          More kinds, for mixtures of experts and long contexts
        </summary>
        <div className="mt-3 grid gap-4 sm:grid-cols-3">
          {fields.slice(COMMON)}
          <ListField
            path={["parallel_config", "enable_expert_parallel"]}
            label="Expert parallel on"
            placeholder="true, false"
          />
        </div>
      </details>
    </Card>
  );
}
