import { Search } from "lucide-react";
import { type RefObject } from "react";
import { count } from "@/format";
import { cx, Field, Input, Kbd, Select } from "@/kit";
import { type Filter, type Group, GROUP_NAMES } from "./rows";

type Props = {
  filter: Filter;
  counts: Record<Group, number>;
  engines: readonly string[];
  search: RefObject<HTMLInputElement | null>;
  onChange: (filter: Partial<Filter>) => void;
};

const NAMES: Record<Group, string> = {
  all: "All",
  active: "Active",
  created: "Drafts",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function Filters({ filter, counts, engines, search, onChange }: Props) {
  const all = [{ value: "", label: "All engines" }, ...engines.map((value) => ({ value, label: value }))];
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <div
        role="group"
        aria-label="State"
        className="-mx-1 flex min-w-0 gap-0.5 overflow-x-auto px-1 py-0.5 [scrollbar-width:none]"
      >
        {GROUP_NAMES.map((group) => (
          <button
            key={group}
            type="button"
            aria-pressed={filter.group === group}
            onClick={() => onChange({ group })}
            className={cx(
              "flex h-8 shrink-0 items-center gap-1.5 rounded-md px-2.5 text-sm font-medium",
              filter.group === group ? "bg-hover text-text" : "text-muted hover:bg-hover hover:text-text",
            )}
          >
            {NAMES[group]}
            <span className="num text-xs text-muted">{count(counts[group])}</span>
          </button>
        ))}
      </div>
      <div className="ml-auto flex min-w-0 flex-1 gap-2 sm:flex-none">
        <Field label="Engine" hideLabel className="w-36 shrink-0">
          <Select value={filter.engine} options={all} onChange={(engine) => onChange({ engine })} />
        </Field>
        <Field label="Search tasks" hideLabel className="min-w-0 flex-1 sm:w-56 2xl:w-72">
          <Input
            ref={search}
            type="search"
            before={<Search />}
            after={filter.text ? undefined : <Kbd keys="/" />}
            placeholder="Name, model or id"
            value={filter.text}
            onChange={(event) => onChange({ text: event.target.value })}
          />
        </Field>
      </div>
    </div>
  );
}
