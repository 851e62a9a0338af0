import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx";
import { Kbd } from "./Kbd";

export type MenuItem =
  | "line"
  | {
      label: string;
      icon?: ReactNode;
      keys?: string;
      danger?: boolean;
      disabled?: boolean;
      /** Shown with a mark; the menu stays open. */
      checked?: boolean;
      onSelect: () => void;
    };

type Props = {
  trigger: ReactNode;
  items: readonly MenuItem[];
  label?: string;
  align?: "start" | "end";
  side?: "top" | "bottom";
};

const ITEM =
  "flex min-h-8 select-none items-center gap-2 rounded-md px-2 py-1 text-sm outline-none data-highlighted:bg-hover data-disabled:opacity-50";

/** Drop-down menu of actions. */
export function Menu({ trigger, items, label, align = "end", side = "bottom" }: Props) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          className="appear z-60 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-raised"
        >
          {items.map((item, index) =>
            item === "line" ? (
              <Radix.Separator key={index} className="my-1 h-px bg-line" />
            ) : item.checked === undefined ? (
              <Radix.Item
                key={item.label}
                disabled={item.disabled}
                onSelect={item.onSelect}
                className={cx(ITEM, item.danger && "text-bad")}
              >
                <Face {...item} />
              </Radix.Item>
            ) : (
              <Radix.CheckboxItem
                key={item.label}
                checked={item.checked}
                disabled={item.disabled}
                onSelect={(event) => {
                  event.preventDefault();
                  item.onSelect();
                }}
                className={ITEM}
              >
                <span className="w-4 text-accent-text" aria-hidden="true">
                  {item.checked && "✓"}
                </span>
                <Face {...item} />
              </Radix.CheckboxItem>
            ),
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Face({ icon, label, keys }: { icon?: ReactNode; label: string; keys?: string }) {
  return (
    <>
      {icon && (
        <span className="flex size-4 items-center justify-center text-faint [&>svg]:size-4">{icon}</span>
      )}
      <span className="flex-1">{label}</span>
      {keys && <Kbd keys={keys} />}
    </>
  );
}
