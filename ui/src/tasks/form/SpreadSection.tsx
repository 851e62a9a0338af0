import { useQuery } from "@tanstack/react-query";
import { queries } from "@/api";
import { Card } from "@/kit";
import { ListField } from "./ListField";

const DEGREES = [
  ["tp", "Tensor parallel"],
  ["pp", "Pipeline parallel"],
  ["dp", "Data parallel"],
  ["ep", "Expert parallel"],
  ["dcp", "Decode context parallel"],
  ["cp", "Context parallel"],
  ["moe_tp", "MoE tensor parallel"],
  ["moe_ep", "MoE expert parallel"],
  ["moe_cluster", "MoE cluster"],
  ["moe_dense_tp", "MoE dense tensor parallel"],
] as const;
const USUAL = 3;

/** How the model is spread over GPUs: the degrees to try. */
export function SpreadSection({ engine }: { engine: string }) {
  const engines = useQuery(queries.engines());
  const presets = engines.data?.find((one) => one.name === engine)?.parallel_presets ?? [];
  const field = ([key, label]: (typeof DEGREES)[number]) => (
    <ListField key={key} path={["parallel_config", key]} label={label} usual="1, 2, 4" />
  );
  return (
    <Card title="Parallelism">
      <p className="mb-3 text-sm text-muted">
        One degree, or the degrees to try. What a machine has no GPUs for is skipped.
      </p>
      <div className="grid gap-4 sm:grid-cols-3">
        {DEGREES.slice(0, USUAL).map(field)}
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
          {DEGREES.slice(USUAL).map(field)}
          <ListField
            path={["parallel_config", "enable_expert_parallel"]}
            label="Expert parallel on"
            usual="true, false"
          />
        </div>
      </details>
    </Card>
  );
}
