import { X } from "lucide-react";
import { isRate, METRICS, metricName, type Objective, STATISTICS } from "@/format/metrics";
import { Field, IconButton, Select } from "@/kit";
import { objective } from "../spec/objectives";

type Props = {
  number: number;
  value: Objective;
  onChange: (value: Objective) => void;
  onRemove?: () => void;
};

const METRIC_OPTIONS = METRICS.map((value) => ({ value, label: metricName(value) }));
const STATISTIC_OPTIONS = STATISTICS.map((value) => ({ value, label: value }));

export function ObjectiveRow({ number, value, onChange, onRemove }: Props) {
  const { metric, statistic, direction } = value;
  return (
    <li className="flex flex-wrap items-center gap-2">
      <span className="w-20 text-sm text-muted">{direction}</span>
      <Field label={`Metric ${number}`} hideLabel className="min-w-52 flex-1">
        <Select
          value={metric}
          options={METRIC_OPTIONS}
          onChange={(next) => onChange(objective(next, statistic))}
        />
      </Field>
      {!isRate(metric) && (
        <Field label={`Statistic ${number}`} hideLabel className="w-24">
          <Select
            value={statistic}
            options={STATISTIC_OPTIONS}
            onChange={(next) => onChange(objective(metric, next))}
          />
        </Field>
      )}
      {onRemove && (
        <IconButton label={`Remove objective ${number}`} icon={<X className="size-4" />} onClick={onRemove} />
      )}
    </li>
  );
}
