import { Popover } from "radix-ui";
import type { ReactNode } from "react";
import { Button, Checkbox } from "@/kit";
import type { Field } from "./field";

type Props = {
  fields: readonly Field[];
  visibility: Record<string, boolean>;
  onChange: (id: string, on: boolean) => void;
  onReset: () => void;
  icon: ReactNode;
};

/** Which columns are shown. */
export function ColumnMenu({ fields, visibility, onChange, onReset, icon }: Props) {
  const groups = [...new Set(fields.map((field) => field.group))];
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <Button icon={icon}>
          <span className="max-sm:sr-only">Columns</span>
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label="Columns"
          className="appear z-60 max-h-(--radix-popover-content-available-height) w-64 overflow-y-auto rounded-lg border border-line bg-raised p-3 shadow-raised"
        >
          {groups.map((group) => (
            <fieldset key={group} className="mb-3">
              <legend className="mb-1 text-xs font-medium text-muted">{group}</legend>
              {fields
                .filter((field) => field.group === group)
                .map((field) => (
                  <label key={field.id} className="flex min-h-7 cursor-pointer items-center gap-2 text-sm">
                    <Checkbox
                      checked={visibility[field.id] ?? false}
                      onChange={(on) => onChange(field.id, on)}
                    />
                    <span className="min-w-0 truncate">{field.header}</span>
                  </label>
                ))}
            </fieldset>
          ))}
          <Button size="sm" variant="quiet" onClick={onReset}>
            As it was
          </Button>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
