import { Plus } from "lucide-react";
import { useCatalog } from "@/api";
import { METRICS, type Objective } from "@/format/metrics";
import { Button, Card } from "@/kit";
import { get } from "@/yaml/document";
import { MOST, objective, objectivesOf, objectivesToSpec, DEFAULT_OBJECTIVE } from "../spec/objectives";
import { nextSlo, slosToSpec, type SLO, slosOf } from "../spec/slos";
import { useForm } from "./context";
import { ObjectiveRow } from "./ObjectiveRow";
import { SloRow } from "./SloRow";
import { YamlOnly } from "./YamlOnly";

const AIM = ["optimization", "objective"];

/** Objectives and SLOs. */
export function GoalSection() {
  const form = useForm();
  const named = useCatalog()?.objectives ?? [];
  const objectives = objectivesOf(get(form.data, AIM), named);
  const block = get(form.data, ["slo"]);
  const slos = slosOf(block);
  const aim = (all: readonly Objective[]) => form.set(AIM, objectivesToSpec(all, named));
  const bound = (all: readonly SLO[]) => form.set(["slo"], slosToSpec(all, block));
  const free = METRICS.find((metric) => !objectives?.some((one) => one.metric === metric));
  const next = slos && nextSlo(slos);
  return (
    <Card title="Goal">
      <h3 className="mb-2 text-sm font-medium">Objective</h3>
      {objectives ? (
        <ul className="space-y-2">
          {objectives.map((one, at) => (
            <ObjectiveRow
              key={at}
              number={at + 1}
              value={one}
              onChange={(value) => aim(objectives.with(at, value))}
              onRemove={objectives.length > 1 ? () => aim(objectives.toSpliced(at, 1)) : undefined}
            />
          ))}
        </ul>
      ) : (
        <YamlOnly path={AIM} what="The objective" />
      )}
      {objectives && form.problem(AIM) && <p className="mt-1 text-xs text-bad">{form.problem(AIM)}</p>}
      {objectives && objectives.length < MOST && (
        <Button
          size="sm"
          variant="quiet"
          className="mt-2"
          icon={<Plus className="size-3.5" />}
          onClick={() => aim([...objectives, objective(free ?? DEFAULT_OBJECTIVE.metric, "mean")])}
        >
          Weigh against another
        </Button>
      )}
      <h3 className="mb-2 mt-5 text-sm font-medium">Limits (SLOs)</h3>
      {slos ? (
        <ul className="space-y-2">
          {slos.map((one, at) => (
            <SloRow
              key={at}
              value={one}
              problem={form.problem(["slo", one.metric, one.statistic])}
              onChange={(value) => bound(slos.with(at, value))}
              onRemove={() => bound(slos.toSpliced(at, 1))}
            />
          ))}
          {slos.length === 0 && (
            <li className="text-sm text-muted">
              None: the fastest configuration wins, whatever its latency.
            </li>
          )}
        </ul>
      ) : (
        <YamlOnly path={["slo"]} what="The block of SLOs" />
      )}
      {next && (
        <Button
          size="sm"
          variant="quiet"
          className="mt-2"
          icon={<Plus className="size-3.5" />}
          onClick={() => bound([...slos, next])}
        >
          Add a limit
        </Button>
      )}
    </Card>
  );
}
