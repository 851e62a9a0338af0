import { Search, X } from "lucide-react";
import { Button, Input, Select } from "@/kit";
import { ACTIONS, actionText, EVERYTHING, type Filter } from "./filter";

type Props = {
  tools: readonly string[];
  filter: Filter;
  /** How many entries are shown, in words. */
  shown: string;
  onChange: (filter: Filter) => void;
};

/** Filter of the audit log, and the number of entries shown. */
export function Filters({ tools, filter, shown, onChange }: Props) {
  const set = (part: Partial<Filter>) => onChange({ ...filter, ...part });
  const used = Object.values(filter).some(Boolean);
  return (
    <div role="search" className="flex flex-wrap items-center gap-2 border-b border-line p-2">
      <Input
        type="search"
        aria-label="Search the audit log"
        placeholder="Search"
        before={<Search />}
        value={filter.text}
        onChange={(event) => set({ text: event.target.value })}
        className="min-w-40 flex-1 max-sm:basis-full"
      />
      <Select
        aria-label="What"
        value={filter.action}
        onChange={(action) => set({ action })}
        options={[
          { value: "", label: "Every action" },
          ...ACTIONS.map((value) => ({ value, label: actionText(value) })),
        ]}
        className="w-40 max-sm:w-0 max-sm:flex-1"
      />
      <Select
        aria-label="Tool"
        value={filter.tool}
        onChange={(tool) => set({ tool })}
        options={[{ value: "", label: "Every tool" }, ...tools.map((value) => ({ value, label: value }))]}
        className="w-44 max-sm:w-0 max-sm:flex-1"
      />
      {filter.session && (
        <Button icon={<X className="size-3.5" />} onClick={() => set({ session: "" })}>
          One conversation
        </Button>
      )}
      {used && (
        <Button variant="quiet" onClick={() => onChange(EVERYTHING)}>
          Everything
        </Button>
      )}
      <span role="status" className="num ml-auto px-2 text-xs text-muted">
        {shown}
      </span>
    </div>
  );
}
