import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Play, X } from "lucide-react";
import { useState } from "react";
import { api, call } from "@/api";
import { ButtonLink, Code, Dialog, Empty, ErrorMessage, IconButton, Loading, Select } from "@/kit";
import { toYaml } from "@/yaml/document";
import { moved } from "./move";
import type { Preset } from "./types";

/** Merges several presets in order, for a new task. */
export function MergeDialog({ presets, onClose }: { presets: readonly Preset[]; onClose: () => void }) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const merged = useQuery({
    queryKey: ["presets", "merged", chosen],
    queryFn: () => call(api.POST("/api/presets/merge", { body: { presets: [...chosen] } })),
    enabled: chosen.length > 0,
    placeholderData: (before) => (chosen.length > 0 ? before : undefined),
  });
  const left = presets.filter((one) => !chosen.includes(one.name));
  const query = chosen.map((name) => `preset=${encodeURIComponent(name)}`).join("&");
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="lg"
      title="Merge presets"
      detail="Blocks are merged; lists and plain values of a later one replace those of an earlier one."
      footer={
        chosen.length > 0 && !merged.isError ? (
          <ButtonLink variant="primary" icon={<Play className="size-4" />} to={`/tasks/new?${query}`}>
            New task with these
          </ButtonLink>
        ) : undefined
      }
    >
      <div className="grid min-h-80 gap-5 md:grid-cols-[15rem_minmax(0,1fr)]">
        <div className="space-y-3">
          <ol className="space-y-1" aria-label="In this order">
            {chosen.map((name, at) => (
              <li
                key={name}
                className="flex items-center gap-1 rounded-md border border-line py-0.5 pl-2.5 pr-0.5"
              >
                <span className="num mr-1 text-xs text-faint">{at + 1}</span>
                <span className="min-w-0 flex-1 truncate text-sm">{name}</span>
                <IconButton
                  size="sm"
                  tooltip={false}
                  label={`Move ${name} up`}
                  icon={<ArrowUp className="size-3.5" />}
                  disabled={at === 0}
                  onClick={() => setChosen(moved(chosen, at, -1))}
                />
                <IconButton
                  size="sm"
                  tooltip={false}
                  label={`Move ${name} down`}
                  icon={<ArrowDown className="size-3.5" />}
                  disabled={at === chosen.length - 1}
                  onClick={() => setChosen(moved(chosen, at, 1))}
                />
                <IconButton
                  size="sm"
                  tooltip={false}
                  label={`Leave out ${name}`}
                  icon={<X className="size-3.5" />}
                  onClick={() => setChosen(chosen.filter((one) => one !== name))}
                />
              </li>
            ))}
          </ol>
          <Select
            aria-label="Add a preset"
            value=""
            disabled={left.length === 0}
            onChange={(name) => name && setChosen([...chosen, name])}
            options={[
              { value: "", label: "Add a preset …" },
              ...left.map((one) => ({ value: one.name, label: one.name })),
            ]}
          />
        </div>
        {chosen.length === 0 ? (
          <Empty title="Nothing to merge yet">Add presets; what they come to is shown here.</Empty>
        ) : merged.isError ? (
          <ErrorMessage error={merged.error} compact className="h-fit" />
        ) : merged.data ? (
          <Code
            title="The part of a task they make"
            text={toYaml(merged.data.task).trimEnd()}
            maxHeight="50dvh"
            className="h-fit"
          />
        ) : (
          <Loading height="18rem" label="What they come to" />
        )}
      </div>
    </Dialog>
  );
}
