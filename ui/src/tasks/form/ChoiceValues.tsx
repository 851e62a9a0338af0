import { cx } from "@/kit";
import { type Value, valueText } from "../spec/values";

type Props = {
  label: string;
  choices: readonly Value[];
  values: readonly Value[];
  onChange: (values: readonly Value[]) => void;
};

/** Toggle buttons for the values to try. A selected value that is no choice any more can be removed. */
export function ChoiceValues({ label, choices, values, onChange }: Props) {
  const all = [...choices, ...values.filter((value) => !choices.includes(value))];
  const toggle = (value: Value) =>
    onChange(
      values.includes(value)
        ? values.filter((one) => one !== value)
        : all.filter((one) => one === value || values.includes(one)),
    );
  return (
    <div role="group" aria-label={label} className="flex flex-wrap gap-1">
      {all.map((value) => {
        const chosen = values.includes(value);
        return (
          <button
            key={valueText(value)}
            type="button"
            aria-pressed={chosen}
            onClick={() => toggle(value)}
            className={cx(
              "h-8 max-w-full truncate rounded-md border px-2.5 font-mono text-xs",
              chosen
                ? "border-accent bg-accent-soft text-accent-text"
                : "border-line text-muted hover:bg-hover hover:text-text",
            )}
          >
            {valueText(value) || "(empty)"}
          </button>
        );
      })}
    </div>
  );
}
