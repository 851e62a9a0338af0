/**
 * Names that the service knows, with words for people. The names are typed by its schema; one without an entry here is
 * shown under its name. Entries have the shape in which the service could send them.
 */

import type { operations } from "./schema";
import type { Schema } from "./types";

export type CatalogEntry<N extends string = string> = { name: N; title: string; description?: string };

export const STRATEGIES: readonly CatalogEntry<Schema<"StrategyName">>[] = [
  { name: "auto", title: "Automatic" },
  { name: "grid_search", title: "Grid: every combination in order" },
  { name: "random", title: "Random" },
  { name: "bayesian", title: "Bayesian (TPE)" },
  { name: "nsga2", title: "NSGA-II, for several objectives" },
];

export const DEPLOYMENT_MODES: readonly CatalogEntry<Schema<"DeploymentMode">>[] = [
  { name: "local", title: "On this machine" },
  { name: "docker", title: "Docker" },
  { name: "ome", title: "Kubernetes (OME)" },
];

type Parameter<O extends keyof operations, P extends string> = operations[O] extends {
  parameters: { query?: { [K in P]?: infer N } };
}
  ? Extract<N, string>
  : never;

/** Artifacts to be used elsewhere, then formats of the report. */
export const EXPORTS: readonly CatalogEntry<
  Parameter<"export_task", "kind"> | Parameter<"get_report", "format">
>[] = [
  {
    name: "command",
    title: "Command",
    description: "The shell command that serves the best configuration",
  },
  {
    name: "compose",
    title: "Compose file",
    description: "For docker compose up: image, model, GPUs, flags",
  },
  {
    name: "kubernetes",
    title: "Kubernetes manifest",
    description: "A Deployment with its Service, for kubectl apply",
  },
  { name: "task", title: "Task file", description: "To run this task again, or to change it" },
  { name: "html", title: "HTML report", description: "One file with its pictures, to send to others" },
  { name: "xlsx", title: "Excel workbook", description: "Every experiment and every load level" },
  { name: "csv", title: "CSV", description: "A line for each experiment and load level" },
  { name: "json", title: "JSON", description: "The whole result, for programs" },
  { name: "table", title: "Text table", description: "As the terminal shows it" },
];

export const PARALLEL_DEGREES: readonly CatalogEntry<keyof Schema<"ParallelConfigInput">>[] = [
  { name: "tp", title: "Tensor parallel" },
  { name: "pp", title: "Pipeline parallel" },
  { name: "dp", title: "Data parallel" },
  { name: "ep", title: "Expert parallel" },
  { name: "dcp", title: "Decode context parallel" },
  { name: "cp", title: "Context parallel" },
  { name: "moe_tp", title: "MoE tensor parallel" },
  { name: "moe_ep", title: "MoE expert parallel" },
  { name: "moe_cluster", title: "MoE cluster" },
  { name: "moe_dense_tp", title: "MoE dense tensor parallel" },
];

/** Parts of a model with a number format of their own, and formats to suggest. */
export const QUANTIZED_PARTS: readonly (CatalogEntry<keyof Schema<"QuantConfigInput">> & {
  formats: readonly string[];
})[] = [
  {
    name: "gemm_dtype",
    title: "Weights",
    formats: ["auto", "bfloat16", "float16", "fp8", "awq", "gptq", "bitsandbytes"],
  },
  { name: "kvcache_dtype", title: "KV cache", formats: ["auto", "fp8", "fp8_e4m3", "fp8_e5m2"] },
  { name: "attention_dtype", title: "Attention", formats: ["auto", "fp8"] },
  { name: "moe_dtype", title: "Experts", formats: ["auto", "fp8", "w4afp8"] },
];

type NamedObjective = Pick<Schema<"Objective">, "metric" | "statistic" | "direction">;
/** Objectives that a task file may give by name. */
export const NAMED_OBJECTIVES: Readonly<Record<string, NamedObjective>> = {
  maximize_throughput: { metric: "output_tokens_per_s", statistic: "mean", direction: "maximize" },
  minimize_latency: { metric: "e2e_latency", statistic: "mean", direction: "minimize" },
  minimize_ttft: { metric: "ttft", statistic: "mean", direction: "minimize" },
  minimize_tpot: { metric: "tpot", statistic: "mean", direction: "minimize" },
};

/** The engine of a task that names none, the one that needs no model, and other spellings of names. */
export const DEFAULT_ENGINE = "vllm";
export const SIMULATED_ENGINE = "simulated";
export const ENGINE_ALIASES: Readonly<Record<string, string>> = {
  tensorrt_llm: "tensorrt-llm",
  trtllm: "tensorrt-llm",
};

/** Tools whose answer is the task that they have started. */
export const STARTING_TOOLS: readonly string[] = ["start_task", "resume_task"];

/** For a list to choose from. */
export const optionsOf = <N extends string>(entries: readonly CatalogEntry<N>[]) =>
  entries.map(({ name, title }) => ({ value: name, label: title }));
