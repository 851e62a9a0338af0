import { Search } from "lucide-react";
import { useState } from "react";
import { Badge, Card, cx, Empty, Input } from "@/kit";
import { searched } from "./presetFile";
import type { Preset } from "./types";

type Props = { presets: readonly Preset[]; shown: string | null; onShow: (name: string) => void };

/** The user's presets first, then the built-in ones. */
export function PresetList({ presets, shown, onShow }: Props) {
  const [text, setText] = useState("");
  const kept = searched(presets, text);
  const groups = [
    { title: "Mine", members: kept.filter((one) => !one.built_in) },
    { title: "Built in", members: kept.filter((one) => one.built_in) },
  ].filter((group) => group.members.length > 0);
  return (
    <Card padded={false}>
      <div className="border-b border-line p-2">
        <Input
          type="search"
          aria-label="Search presets"
          placeholder="Search"
          before={<Search />}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      {groups.length === 0 && <Empty title="None of these">No preset says “{text}”.</Empty>}
      {groups.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h2 className="px-4 pb-1 pt-3 text-xs font-medium text-muted">{group.title}</h2>
          <ul className="pb-2">
            {group.members.map((preset) => (
              <li key={preset.name}>
                <button
                  type="button"
                  aria-current={preset.name === shown || undefined}
                  onClick={() => onShow(preset.name)}
                  className={cx(
                    "focus-inset block w-full px-4 py-2 text-left",
                    preset.name === shown ? "bg-accent-soft" : "hover:bg-hover",
                  )}
                >
                  <span className="flex items-center gap-2">
                    <span className="min-w-0 truncate text-sm font-medium">{preset.name}</span>
                    {preset.engine && <Badge className="ml-auto">{preset.engine}</Badge>}
                  </span>
                  <span className="line-clamp-2 text-xs text-muted">{preset.description}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Card>
  );
}
