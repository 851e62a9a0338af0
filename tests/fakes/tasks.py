"""A task file that uses every kind of block."""

FULL = """\
task_name: full
model: {id_or_path: org/model, quantization: awq}
base_runtime: vllm
parameters:
  --max_num_seqs: [8, 16]
  gpu-memory-utilization: {type: continuous, low: 0.5, high: 0.9, step: 0.1}
  max-num-batched-tokens: {type: integer, low: 128, high: 8192, log: true}
  dtype: {type: choice, values: [auto, bfloat16]}
  enforce-eager: true
  rate: 1e-3
parallel_config: {tp: [1, 2], presets: [single-gpu]}
quant_config: {kvcache_dtype: fp8_e5m2}
environment: {VLLM_CPU_KVCACHE_SPACE: [1, 2]}
constraints: [tp <= 2]
optimization:
  strategy: bayesian
  objective: [minimize_ttft, {metric: tpot, statistic: p90, direction: minimize}]
  seed: 7
benchmark: {traffic_scenarios: ["D(100,32)"], num_concurrency: 4, additional_params: {temperature: 0.0, stop: ["1"]}}
slo: {ttft: {threshold: 0.3, hard_fail: true}, latency: {p90: {threshold: 5}}}
budget: {max_time: 90m}
"""
