import { useQuery } from "@tanstack/react-query";
import { queries } from "@/api";
import { Card } from "@/kit";
import { ListField } from "./ListField";

const PARTS = [
  ["gemm_dtype", "Weights", ["auto", "bfloat16", "float16", "fp8", "awq", "gptq", "bitsandbytes"]],
  ["kvcache_dtype", "KV cache", ["auto", "fp8", "fp8_e4m3", "fp8_e5m2"]],
  ["attention_dtype", "Attention", ["auto", "fp8"]],
  ["moe_dtype", "Experts", ["auto", "fp8", "w4afp8"]],
] as const;

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
        {PARTS.map(([key, label, formats]) => (
          <ListField
            key={key}
            path={["quant_config", key]}
            label={label}
            usual="auto"
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
