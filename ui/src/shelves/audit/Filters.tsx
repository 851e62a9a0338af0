import { Search, X } from "lucide-react";
import { count, plural } from "@/format";
import { Button, Input, Select } from "@/kit";
import type { Entry } from "./entries";
import { actionText, EVERYTHING, type Filter, present } from "./filter";

type Props = { entries: readonly Entry[]; filter: Filter; shown: number; onChange: (filter: Filter) => void };

/** What of the log is shown, and how much of it that is. */
export function Filters({ entries, filter, shown, onChange }: Props) {
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
        className="min-w-40 flex-1"
      />
      <Select
        aria-label="What"
        value={filter.action}
        onChange={(action) => set({ action })}
        options={[
          { value: "", label: "Every action" },
          ...present(entries, "action").map((value) => ({ value, label: actionText(value) })),
        ]}
        className="w-40"
      />
      <Select
        aria-label="Tool"
        value={filter.tool}
        onChange={(tool) => set({ tool })}
        options={[
          { value: "", label: "Every tool" },
          ...present(entries, "tool").map((value) => ({ value, label: value })),
        ]}
        className="w-44"
      />
      {filter.session && (
        <Button icon={<X className="size-3.5" />} onClick={() => set({ session: "" })}>
          One conversation
        </Button>
      )}
      {used && (
        <Button look="quiet" onClick={() => onChange(EVERYTHING)}>
          Everything
        </Button>
      )}
      <span role="status" className="num ml-auto px-2 text-xs text-muted">
        {used
          ? `${count(shown)} of ${plural(entries.length, "entry", "entries")}`
          : plural(entries.length, "entry", "entries")}
      </span>
    </div>
  );
}
