import { Field, type Option, Select } from "@/kit";

type Props = {
  source: string;
  options: readonly Option[];
  onChange: (source: string) => void;
};

/** Which log is shown: of an experiment, or of the load generator. */
export function LogSource({ source, options, onChange }: Props) {
  return (
    <Field label="Which log" hideLabel className="w-44">
      <Select value={source} options={options} onChange={onChange} />
    </Field>
  );
}
