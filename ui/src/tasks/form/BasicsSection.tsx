import { useQuery } from "@tanstack/react-query";
import { isSimulated, queries, useCatalog } from "@/api";
import { Card } from "@/kit";
import { get, isObject } from "@/yaml/document";
import { ChoiceField } from "./ChoiceField";
import { useForm } from "./context";
import { TextField } from "./TextField";

/** Name, engine and model. */
export function BasicsSection({ engine }: { engine: string }) {
  const form = useForm();
  const catalog = useCatalog();
  const engines = useQuery(queries.engines());
  const model = get(form.data, ["model"]);
  const named = isObject(model) && "name" in model ? "name" : "id_or_path";
  const path = isObject(model) ? ["model", named] : ["model"];
  const options =
    catalog &&
    engines.data?.map((one) => ({
      value: one.name,
      label: one.installed
        ? [one.name, one.version].filter(Boolean).join(" ")
        : `${one.name} (not installed)`,
    }));
  return (
    <Card title="What to tune">
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          path={["task_name"]}
          label="Name"
          required
          placeholder="llama-8b chat"
          className="sm:col-span-2"
        />
        <ChoiceField path={["base_runtime"]} label="Engine" options={options} defaultValue={engine} />
        <TextField
          path={path}
          label="Model"
          required
          placeholder={isSimulated(engine, catalog) ? "demo" : "Qwen/Qwen2.5-0.5B-Instruct"}
          help="A folder on this machine, or the id of a model on the hub"
        />
        <TextField path={["description"]} label="Description" long className="sm:col-span-2" />
      </div>
    </Card>
  );
}
