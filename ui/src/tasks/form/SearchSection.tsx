import { optionsOf, useCatalog } from "@/api";
import { Card } from "@/kit";
import { get } from "@/yaml/document";
import { ChoiceField } from "./ChoiceField";
import { useForm } from "./context";
import { NumberField } from "./NumberField";
import { SwitchField } from "./SwitchField";
import { TextField } from "./TextField";

const at = (key: string) => ["optimization", key];
const DEFAULT_STRATEGY = "auto";

/** Search strategy and budget. */
export function SearchSection() {
  const form = useForm();
  const strategies = useCatalog()?.strategies;
  const chosen = get(form.data, at("strategy")) ?? DEFAULT_STRATEGY;
  return (
    <Card title="Search and budget">
      <div className="grid gap-4 sm:grid-cols-2">
        <ChoiceField
          path={at("strategy")}
          label="Strategy"
          options={optionsOf(strategies)}
          defaultValue={DEFAULT_STRATEGY}
          help={strategies?.find((one) => one.name === chosen)?.description}
        />
        <NumberField
          path={at("max_iterations")}
          label="Configurations"
          placeholder="20"
          help="To try, besides the baseline"
        />
        <NumberField
          path={at("confirm")}
          label="Confirmation rounds"
          placeholder="8"
          help="At most, of the best three and the baseline; 2 prove only large gains, 0 none"
        />
        <NumberField
          path={at("min_effect")}
          label="Least gain that counts"
          placeholder="0"
          help="As a part: 0.02 asks for more than 2 % better"
        />
        <NumberField
          path={at("timeout_per_iteration")}
          label="Time per experiment"
          unit="s"
          placeholder="1800"
          help="At most, start included"
        />
        <TextField
          path={["budget", "max_time"]}
          label="Time in all"
          placeholder="no limit"
          help="Such as 90m, 2h, 1d"
        />
        <NumberField path={["budget", "max_gpu_hours"]} label="GPU hours in all" placeholder="no limit" />
        <NumberField
          path={["budget", "max_experiments"]}
          label="Experiments in all"
          placeholder="no limit"
          help="Baseline included"
        />
        <NumberField path={at("seed")} label="Seed" placeholder="0" />
        <NumberField
          path={at("n_initial_random")}
          label="Random ones first"
          placeholder="5"
          help="Before a model is trusted"
        />
        <SwitchField
          path={at("baseline")}
          label="Measure the engine's defaults first"
          defaultValue
          help="Without it nothing can be proven better"
          className="sm:col-span-2"
        />
      </div>
    </Card>
  );
}
