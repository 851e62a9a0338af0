import { Card } from "@/kit";
import { ChoiceField } from "./ChoiceField";
import { NumberField } from "./NumberField";
import { SwitchField } from "./SwitchField";
import { TextField } from "./TextField";

const at = (key: string) => ["optimization", key];
const STRATEGIES = [
  { value: "auto", label: "Automatic" },
  { value: "grid_search", label: "Grid: every combination in order" },
  { value: "random", label: "Random" },
  { value: "bayesian", label: "Bayesian (TPE)" },
  { value: "nsga2", label: "NSGA-II, for several objectives" },
] as const;

/** How to search, how long, and how sure to be. */
export function SearchSection() {
  return (
    <Card title="Search and budget">
      <div className="grid gap-4 sm:grid-cols-2">
        <ChoiceField path={at("strategy")} label="Strategy" options={STRATEGIES} usual="auto" />
        <NumberField
          path={at("max_iterations")}
          label="Configurations"
          usual="20"
          help="To try, besides the baseline"
        />
        <NumberField
          path={at("confirm")}
          label="Confirmations"
          usual="2"
          help="Fresh measurements of winner and baseline at the end"
        />
        <NumberField
          path={at("timeout_per_iteration")}
          label="Time per experiment"
          unit="s"
          usual="1800"
          help="At most, start included"
        />
        <TextField
          path={["budget", "max_time"]}
          label="Time in all"
          placeholder="no limit"
          help="Such as 90m, 2h, 1d"
        />
        <NumberField path={["budget", "max_gpu_hours"]} label="GPU hours in all" usual="no limit" />
        <NumberField
          path={["budget", "max_experiments"]}
          label="Experiments in all"
          usual="no limit"
          help="Baseline included"
        />
        <NumberField path={at("seed")} label="Seed" usual="0" />
        <NumberField
          path={at("n_initial_random")}
          label="Random ones first"
          usual="5"
          help="Before a model is trusted"
        />
        <SwitchField
          path={at("baseline")}
          label="Measure the engine's defaults first"
          usual
          help="Without it nothing can be proven better"
          className="sm:col-span-2"
        />
      </div>
    </Card>
  );
}
