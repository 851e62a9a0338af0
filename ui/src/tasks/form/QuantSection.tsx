import { useQuery } from "@tanstack/react-query";
import { queries, type Schema } from "@/api";
import { Card } from "@/kit";
import { ListField } from "./ListField";

type Part = Exclude<keyof Schema<"QuantConfigInput">, "presets">;
/** Words of this form for the parts that a task file has, and formats to suggest: any other can be typed. */
const PARTS: Record<Part, { title: string; formats: readonly string[] }> = {
  gemm_dtype: {
    title: "Weights",
    formats: ["auto", "bfloat16", "float16", "fp8", "awq", "gptq", "bitsandbytes"],
  },
  kvcache_dtype: { title: "KV cache", formats: ["auto", "fp8", "fp8_e4m3", "fp8_e5m2"] },
  attention_dtype: { title: "Attention", formats: ["auto", "fp8"] },
  moe_dtype: { title: "Experts", formats: ["auto", "fp8", "w4afp8"] },
};

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
        {Object.entries(PARTS).map(([name, { title, formats }]) => (
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
