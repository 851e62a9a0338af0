import { useQuery } from "@tanstack/react-query";
import { queries } from "@/api";
import { type CatalogEntry, PARALLEL_DEGREES } from "@/api/catalog";
import { Card } from "@/kit";
import { ListField } from "./ListField";

const COMMON = 3;

/** Parallelism: the degrees to try. */
export function ParallelSection({ engine }: { engine: string }) {
  const engines = useQuery(queries.engines());
  const presets = engines.data?.find((one) => one.name === engine)?.parallel_presets ?? [];
  const field = ({ name, title }: CatalogEntry) => (
    <ListField key={name} path={["parallel_config", name]} label={title} placeholder="1, 2, 4" />
  );
  return (
    <Card title="Parallelism">
      <p className="mb-3 text-sm text-muted">
        One degree, or the degrees to try. What a machine has no GPUs for is skipped.
      </p>
      <div className="grid gap-4 sm:grid-cols-3">
        {PARALLEL_DEGREES.slice(0, COMMON).map(field)}
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
          {PARALLEL_DEGREES.slice(COMMON).map(field)}
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
