import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";

export type Tab<V extends string = string> = {
  value: V;
  label: ReactNode;
  count?: number;
  content: ReactNode;
};

type Props<V extends string> = {
  label: string;
  tabs: readonly Tab<V>[];
  value?: V;
  defaultValue?: V;
  onChange?: (value: V) => void;
  /** Beside the tabs, at the right. */
  actions?: ReactNode;
  className?: string;
};

export function Tabs<V extends string>({
  label,
  tabs,
  value,
  defaultValue,
  onChange,
  actions,
  className,
}: Props<V>) {
  return (
    <Radix.Root
      value={value}
      defaultValue={defaultValue ?? (value === undefined ? tabs[0]?.value : undefined)}
      onValueChange={onChange && ((next) => onChange(next as V))}
      className={className}
    >
      <div className="flex items-center gap-2 border-b border-line">
        <Radix.List aria-label={label} className="-mb-px flex min-w-0 overflow-x-auto [scrollbar-width:none]">
          {tabs.map((tab) => (
            <Radix.Trigger
              key={tab.value}
              value={tab.value}
              className="focus-inset flex h-9 shrink-0 items-center gap-1.5 border-b-2 border-transparent px-3 text-sm font-medium text-muted hover:text-text data-[state=active]:border-accent data-[state=active]:text-text"
            >
              {tab.label}
              {tab.count !== undefined && <span className="num text-xs text-faint">{tab.count}</span>}
            </Radix.Trigger>
          ))}
        </Radix.List>
        {actions && <div className="ml-auto flex shrink-0 items-center gap-1.5">{actions}</div>}
      </div>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value} className="pt-4">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
