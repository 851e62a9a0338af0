import { memo } from "react";
import { Field, Select } from "@/kit";

export const NEWEST = "newest";
export const LOAD = "load";

type Props = {
  source: string;
  /** How many experiments there are. */
  experiments: number;
  /** The task has ended. */
  ended: boolean;
  onChange: (source: string) => void;
};

/** Selects the log: of an experiment, or of the load generator. Memoized. */
export const LogSource = memo(function LogSource({ source, experiments, ended, onChange }: Props) {
  const options = [
    { value: NEWEST, label: ended ? "Newest experiment" : "Running experiment" },
    ...Array.from({ length: experiments }, (_, at) => ({ value: String(at), label: `Experiment ${at}` })),
    { value: LOAD, label: "Load generator" },
  ];
  return (
    <Field label="Which log" hideLabel className="w-44">
      <Select value={source} options={options} onChange={onChange} />
    </Field>
  );
});
