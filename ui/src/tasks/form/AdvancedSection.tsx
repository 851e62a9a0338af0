import { optionsOf, useCatalog } from "@/api";
import { Card } from "@/kit";
import { get, isObject } from "@/yaml/document";
import { ChoiceField } from "./ChoiceField";
import { ConstraintsField } from "./ConstraintsField";
import { useForm } from "./context";
import { PairsField } from "./PairsField";
import { TextField } from "./TextField";
import { YamlOnly } from "./YamlOnly";

/** Constraints, environment, deployment mode. */
export function AdvancedSection() {
  const form = useForm();
  const catalog = useCatalog();
  const local = (get(form.data, ["deployment_mode"]) ?? "local") === "local";
  const named = isObject(get(form.data, ["model"]));
  return (
    <Card title="More">
      <div className="space-y-4">
        <ConstraintsField />
        <PairsField
          path={["environment"]}
          label="Environment variables"
          placeholder="VLLM_ATTENTION_BACKEND"
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <ChoiceField
            path={["deployment_mode"]}
            label="Where it runs"
            options={optionsOf(catalog?.deployment_modes)}
            defaultValue="local"
          />
          {!local && <TextField path={["runtime_image_tag"]} label="Image tag" placeholder="v0.11.0" />}
          {!local && named && <TextField path={["model", "namespace"]} label="Kubernetes namespace" />}
          <TextField
            path={["model", "quantization"]}
            label="Checkpoint quantization"
            help="Where the model's own config does not say it: awq, gptq, fp8"
          />
        </div>
        <YamlOnly path={["storage"]} what="The volume with the model (storage)" />
        <YamlOnly path={["clusterbasemodel_config"]} what="The ClusterBaseModel" />
        <YamlOnly path={["clusterservingruntime_config"]} what="The ClusterServingRuntime" />
      </div>
    </Card>
  );
}
