import { useQuery } from "@tanstack/react-query";
import { Bookmark } from "lucide-react";
import { queries, type Schema } from "@/api";
import { Button, Menu, type MenuItem } from "@/kit";

type Props = { engine: string; onPick: (preset: Schema<"Preset">) => void };

/** Presets for this engine first, those for another one after a line. */
export function PresetMenu({ engine, onPick }: Props) {
  const presets = useQuery(queries.presets());
  const all = presets.data ?? [];
  const item = (preset: Schema<"Preset">): MenuItem => ({
    label: preset.engine && preset.engine !== engine ? `${preset.name} · ${preset.engine}` : preset.name,
    onSelect: () => onPick(preset),
  });
  const own = all.filter((one) => one.engine === null || one.engine === engine);
  const others = all.filter((one) => !own.includes(one));
  const items: MenuItem[] = [
    ...own.map(item),
    ...(others.length > 0 ? ["line" as const] : []),
    ...others.map(item),
  ];
  return (
    <Menu
      label="Presets"
      trigger={
        <Button icon={<Bookmark className="size-3.5" />} disabled={items.length === 0}>
          Apply a preset
        </Button>
      }
      items={items}
    />
  );
}
