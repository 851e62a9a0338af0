import { X } from "lucide-react";
import { Checkbox, Field, IconButton, Input, Select } from "@/kit";
import { type SLO, SLO_METRICS, SLO_STATISTICS } from "../spec/slos";
import { valueOf } from "../spec/values";
import { useParsedInput } from "./useParsedInput";

type Props = { value: SLO; problem?: string; onChange: (value: SLO) => void; onRemove: () => void };

const NAMES = { ttft: "Time to first token", tpot: "Time per output token", latency: "End-to-end latency" };
const METRIC_OPTIONS = SLO_METRICS.map((value) => ({ value, label: NAMES[value] }));
const STATISTIC_OPTIONS = SLO_STATISTICS.map((value) => ({ value, label: value }));
const MS = 1000;

/** An SLO, edited in milliseconds; the task has seconds. */
export function SloRow({ value, problem, onChange, onRemove }: Props) {
  const { metric, statistic, threshold } = value;
  const name = `${metric} ${statistic}`;
  const typed = useParsedInput<number | undefined>(threshold, {
    write: (seconds) => (seconds === undefined ? "" : String(Number((seconds * MS).toPrecision(12)))),
    read: (text) => {
      const ms = valueOf(text);
      return typeof ms === "number" ? Number((ms / MS).toPrecision(12)) : undefined;
    },
    set: (seconds) => onChange({ ...value, threshold: seconds }),
  });
  return (
    <li>
      <div className="flex flex-wrap items-center gap-2">
        <Field label={`Latency of ${name}`} hideLabel className="min-w-48 flex-1">
          <Select
            value={metric}
            options={METRIC_OPTIONS}
            onChange={(next) => onChange({ ...value, metric: next })}
          />
        </Field>
        <Field label={`Statistic of ${name}`} hideLabel className="w-22">
          <Select
            value={statistic}
            options={STATISTIC_OPTIONS}
            onChange={(next) => onChange({ ...value, statistic: next })}
          />
        </Field>
        <span className="text-sm text-muted">at most</span>
        <Field label={`Bound of ${name}`} hideLabel className="w-28">
          <Input
            inputMode="decimal"
            className="num"
            after="ms"
            aria-invalid={problem ? true : undefined}
            value={typed.value}
            onChange={(event) => typed.onType(event.target.value)}
          />
        </Field>
        <label
          className="flex items-center gap-1.5 text-sm"
          title="A configuration that misses it ranks below every one that does not"
        >
          <Checkbox
            checked={value.hard_fail === true}
            onChange={(hard) => onChange({ ...value, hard_fail: hard || undefined })}
          />
          hard
        </label>
        <IconButton
          label={`Remove the bound of ${name}`}
          icon={<X className="size-4" />}
          onClick={onRemove}
        />
      </div>
      {problem && <p className="mt-1 text-xs text-bad">{problem}</p>}
    </li>
  );
}
