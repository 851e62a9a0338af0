import { useQuery } from "@tanstack/react-query";
import { queries } from "@/api";
import { QUANTIZED_PARTS } from "@/api/catalog";
import { Card } from "@/kit";
import { ListField } from "./ListField";

/** Number formats, by part of the model. */
export function QuantSection({ engine }: { engine: string }) {
  const engines = useQuery(queries.engines());
  const presets = engines.data?.find((one) => one.name === engine)?.quant_presets ?? [];
  return (
    <Card title="Quantization">
      <p className="mb-3 text-sm text-muted">
        One number format, or the formats to try. Fewer bits are faster and may answer worse: look at answers,
        too.
      </p>
      <div className="grid gap-4 sm:grid-cols-2">
        {QUANTIZED_PARTS.map(({ name, title, formats }) => (
          <ListField
            key={name}
            path={["quant_config", name]}
            label={title}
            placeholder="auto"
            suggestions={formats}
          />
        ))}
        {presets.length > 0 && (
          <ListField
            path={["quant_config", "presets"]}
            label="Presets"
            suggestions={presets}
            help={presets.join(", ")}
            className="sm:col-span-2"
          />
        )}
      </div>
    </Card>
  );
}
