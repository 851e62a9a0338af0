import { Card } from "@/kit";
import { ListField } from "./ListField";
import { NumberField } from "./NumberField";
import { PairsField } from "./PairsField";
import { SwitchField } from "./SwitchField";
import { TextField } from "./TextField";

const at = (key: string) => ["benchmark", key];

/** The traffic that every configuration is measured with. */
export function LoadSection() {
  return (
    <Card title="Load">
      <div className="grid gap-4 sm:grid-cols-2">
        <ListField
          path={at("traffic_scenarios")}
          label="Traffic"
          placeholder="D(100,100)"
          help="D(in,out) tokens; N(mean,sd)/(mean,sd); U(min,max)/(min,max); dataset; trace"
        />
        <ListField
          path={at("num_concurrency")}
          label="Concurrency"
          placeholder="1, 4, 8"
          help="Requests in flight, one load level each; empty for rates or a trace"
        />
        <ListField
          path={at("request_rate")}
          label="Requests per second"
          placeholder="2, 4"
          help="Instead of concurrency: they come whatever the answers (load generator guidellm)"
        />
        <NumberField
          path={at("max_requests_per_iteration")}
          label="Measured requests per level"
          placeholder="as many as it takes"
        />
        <NumberField
          path={at("max_time_per_iteration")}
          label="Time per level"
          unit="min"
          placeholder="10"
          help="At most; whole minutes"
        />
        <NumberField
          path={at("warmup_requests")}
          label="Warm-up requests"
          placeholder="4"
          help="Sent first, never counted"
        />
      </div>
      <details className="mt-4">
        <summary className="text-sm text-muted hover:text-text">
          Prompts of your own, shared prefixes, request fields
        </summary>
        <div className="mt-3 grid gap-4 sm:grid-cols-2">
          <TextField
            path={at("dataset_url")}
            label="Dataset"
            help="URL or path of CSV, JSONL or an archive, for the scenario dataset"
          />
          <TextField path={at("dataset_prompt_column")} label="Column of prompts" />
          <TextField path={at("tool")} label="Load generator" placeholder="genai-bench" />
          <TextField
            path={at("trace")}
            label="Trace"
            help="Path of recorded traffic, for the scenario trace (guidellm)"
          />
          <NumberField
            path={at("turns")}
            label="Turns of a conversation"
            placeholder="1"
            help="Each sends what was said before along (guidellm)"
          />
          <NumberField path={at("prefix_len")} label="Shared prefix" unit="tokens" />
          <NumberField
            path={at("prefix_ratio")}
            label="Shared part of the prompt"
            help="Between 0 and 1, instead of a length"
          />
          <TextField
            path={at("model_tokenizer")}
            label="Tokenizer"
            help="Folder or hub id; the model's own by default"
          />
          <TextField path={at("model_name")} label="Model name in requests" />
          <SwitchField path={at("dataset_deduplicate")} label="Leave out repeated prompts" />
          <PairsField
            path={at("additional_params")}
            label="Fields of every request"
            placeholder="temperature"
            fixed
          />
        </div>
      </details>
    </Card>
  );
}
