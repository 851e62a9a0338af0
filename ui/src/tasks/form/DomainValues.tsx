import type { Domain } from "../spec/domain";
import type { Value } from "../spec/values";
import { ChoiceValues } from "./ChoiceValues";
import { OneChoice } from "./OneChoice";
import { RangeFields } from "./RangeFields";
import { ValuesInput } from "./ValuesInput";

type Props = {
  domain: Domain;
  name: string;
  choices: readonly Value[];
  few: boolean;
  invalid: boolean;
  change: (domain: Domain) => void;
  leave: () => void;
};

/** Input for a domain: buttons for few choices, else text. */
export function DomainValues({ domain, name, choices, few, invalid, change, leave }: Props) {
  const label = `Values of ${name}`;
  switch (domain.kind) {
    case "other":
      return (
        <p className="py-1.5 text-sm text-muted">
          Written in a way that has no fields here; change it in the YAML view.
        </p>
      );
    case "range":
      return (
        <RangeFields
          name={name}
          range={domain.range}
          onChange={(range) => change({ kind: "range", range })}
        />
      );
    case "list":
      if (few)
        return (
          <ChoiceValues
            label={label}
            choices={choices}
            values={domain.values}
            onChange={(values) => change({ kind: "list", values })}
          />
        );
      return (
        <ValuesInput
          {...{ label, invalid, suggestions: choices, values: domain.values, many: true, onBlur: leave }}
          onChange={(values) => change({ kind: "list", values })}
        />
      );
    case "one":
      if (few && choices.includes(domain.value))
        return (
          <OneChoice
            {...{ label, choices, value: domain.value }}
            onChange={(value) => change({ kind: "one", value })}
          />
        );
      return (
        <ValuesInput
          {...{ label, invalid, suggestions: choices, values: [domain.value], many: false, onBlur: leave }}
          onChange={([value]) => change({ kind: "one", value: value ?? "" })}
        />
      );
  }
}
