import { Monitor, Moon, Sun } from "lucide-react";
import { IconButton, Menu } from "@/kit";
import { type Choice, choose, useThemeChoice } from "@/state/theme";

export const CHOICES: readonly { value: Choice; label: string; icon: typeof Sun }[] = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "As the system", icon: Monitor },
];

export function ThemeSwitch() {
  const chosen = useThemeChoice();
  const Icon = CHOICES.find((one) => one.value === chosen)?.icon ?? Monitor;
  return (
    <Menu
      label="Theme"
      side="top"
      trigger={<IconButton size="sm" tooltip={false} label="Theme" icon={<Icon className="size-4" />} />}
      items={CHOICES.map(({ value, label }) => ({
        label,
        checked: value === chosen,
        onSelect: () => choose(value),
      }))}
    />
  );
}
