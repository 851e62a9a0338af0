import { Plus } from "lucide-react";
import { type KeyboardEvent, useId, useState } from "react";
import { cx, Field, Input } from "@/kit";
import { type Flag, flagName, searchFlags, isFlagName } from "./flags";

type Props = {
  flags: readonly Flag[];
  there: ReadonlySet<string>;
  /** Why no flags are known. */
  unknown?: string;
  onPick: (name: string, flag: Flag | undefined) => void;
};

/** Searches the engine's flags and adds one. Unknown names can be added, too. */
export function FlagPicker({ flags, there, unknown, onPick }: Props) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const options = searchFlags(flags, typed, there);
  const name = flagName(typed);
  const own = isFlagName(name) && !there.has(name) && !options.some((flag) => flag.name === name);
  const count = options.length + (own ? 1 : 0);
  const active = Math.min(at, count - 1);
  const pick = (index: number) => {
    const flag = options[index];
    onPick(flag?.name ?? name, flag);
    setTyped("");
    setAt(0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") setOpen(false);
    else if (event.key === "Enter" && open && count > 0) pick(active);
    else if (step && count > 0) {
      setOpen(true);
      setAt((active + step + count) % count);
      document
        .getElementById(`${id}-${(active + step + count) % count}`)
        ?.scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
  };
  return (
    <div
      className="relative max-w-xl"
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
    >
      <Field label="Add a flag" hideLabel help={unknown}>
        <Input
          before={<Plus />}
          placeholder={flags.length > 0 ? `Add one of ${flags.length} flags …` : "Add a flag by its name …"}
          role="combobox"
          aria-expanded={open && count > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={open && count > 0 ? `${id}-${active}` : undefined}
          aria-autocomplete="list"
          spellCheck={false}
          value={typed}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
            setOpen(true);
          }}
          onKeyDown={onKeyDown}
        />
      </Field>
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label="Flags"
        hidden={!open || count === 0}
        className="absolute inset-x-0 top-9 z-20 max-h-72 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-raised"
      >
        {[...options, ...(own ? [undefined] : [])].map((flag, index) => (
          <li
            key={flag?.name ?? "own"}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            className={cx("cursor-pointer rounded-md px-2 py-1.5", index === active && "bg-hover")}
            onMouseMove={() => setAt(index)}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => pick(index)}
          >
            <span className="block truncate font-mono text-sm">{flag?.name ?? `Add “${name}”`}</span>
            {flag?.help && <span className="line-clamp-2 block text-xs text-muted">{flag.help}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
