import { vi } from "vitest";
import type { Catalog } from "@/api";

const rate = { metric: "output_tokens_per_s", statistic: "mean", direction: "maximize" } as const;
const time = (metric: "e2e_latency" | "ttft" | "tpot") =>
  ({ metric, statistic: "mean", direction: "minimize" }) as const;

/** A catalog as the service would give it; the last strategy, mode, artifact and format are ones of a later service. */
export const CATALOG: Catalog = {
  engines: [
    { name: "vllm", aliases: [], simulated: false, default: true },
    { name: "tensorrt-llm", aliases: ["trtllm"], simulated: false, default: false },
    { name: "simulated", aliases: [], simulated: true, default: false },
  ],
  strategies: [
    { name: "auto", title: "Automatic", description: "What suits the space" },
    { name: "tabu", title: "Tabu search", description: "Steps away from what was tried" },
  ],
  load_generators: [{ name: "genai-bench" }],
  load_policies: [{ name: "fixed" }],
  deployment_modes: [
    { name: "local", title: "On this machine", available: true },
    { name: "slurm", title: "Slurm", available: true },
  ],
  objectives: [
    { name: "maximize_throughput", objective: rate },
    { name: "minimize_latency", objective: time("e2e_latency") },
    { name: "minimize_ttft", objective: time("ttft") },
  ],
  artifacts: [
    {
      name: "helm",
      title: "Helm chart",
      description: "For helm install",
      media_type: "application/gzip",
      suffix: "tgz",
    },
  ],
  report_formats: [
    {
      name: "pdf",
      title: "PDF report",
      description: "To be printed",
      media_type: "application/pdf",
      suffix: "pdf",
    },
  ],
};

/** A service that answers nothing but this; undefined: it cannot be reached. */
export function offering(catalog: Catalog | undefined): void {
  vi.stubGlobal("fetch", ({ url }: Request) => {
    if (!catalog) return Promise.reject(new TypeError("refused"));
    return Promise.resolve(
      url.endsWith("/api/catalog") ? Response.json(catalog) : new Response("", { status: 500 }),
    );
  });
}
