import { CircleAlert, X } from "lucide-react";
import { Field, IconButton, Select } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { type Domain, domainOf, domainToSpec, convertDomain } from "../spec/domain";
import type { Value } from "../spec/values";
import { useForm } from "./context";
import { DomainValues } from "./DomainValues";

type Props = {
  path: Path;
  name: string;
  help?: string;
  /** Known values. */
  choices?: readonly Value[];
  /** A single value, no search. */
  fixed?: boolean;
};

const KINDS = [
  { value: "one", label: "one value" },
  { value: "list", label: "try each of" },
  { value: "range", label: "try a range" },
] as const;
/** More choices than this are typed. */
const MOST_CHOICES = 12;

/** A flag or variable of the search space and its domain. */
export function DomainRow({ path, name, help, choices = [], fixed }: Props) {
  const form = useForm();
  const domain = domainOf(get(form.data, path));
  const problem = form.problem(path);
  const change = (next: Domain) => next.kind !== "other" && form.set(path, domainToSpec(next));
  const few = choices.length > 0 && choices.length <= MOST_CHOICES;
  return (
    <li
      data-path={path.join(".")}
      className="relative grid gap-x-3 gap-y-1.5 py-3 md:grid-cols-[minmax(10rem,16rem)_minmax(0,1fr)_auto]"
    >
      <div className="min-w-0">
        <p className="break-words font-mono text-sm leading-8">{name}</p>
        {help && <p className="line-clamp-3 text-xs text-muted">{help}</p>}
      </div>
      <div className="min-w-0 space-y-1.5">
        <div className="grid gap-2 sm:grid-cols-[8.5rem_minmax(0,1fr)]">
          {!fixed && domain.kind !== "other" && (
            <Field label={`How ${name} varies`} hideLabel>
              <Select
                value={domain.kind}
                options={KINDS}
                onChange={(kind) => change(convertDomain(domain, kind, choices[0] ?? ""))}
              />
            </Field>
          )}
          <div className={fixed ? "sm:col-span-2" : undefined}>
            <DomainValues
              {...{ domain, name, choices, few, change }}
              invalid={problem !== undefined}
              leave={() => form.leave(path)}
            />
          </div>
        </div>
        {problem && (
          <p className="flex items-start gap-1 text-xs text-bad">
            <CircleAlert className="mt-0.5 size-3 shrink-0" aria-hidden="true" />
            {problem}
          </p>
        )}
      </div>
      <IconButton
        label={`Remove ${name}`}
        icon={<X className="size-4" />}
        className="absolute right-0 md:static"
        onClick={() => form.set(path, undefined)}
      />
    </li>
  );
}
