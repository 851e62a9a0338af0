import { Search } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from "react";
import { cx, Kbd } from "@/kit";
import { type Command, matching } from "./commands";
import { usePaletteCommands } from "./usePaletteCommands";

const NOT_YET: Command[] = [];

/** Search field and results of the command palette. Focus stays in the field; the arrow keys select. */
export function PaletteList({ onDone }: { onDone: () => void }) {
  const id = useId();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const asked = useDeferredValue(text.trim());
  const all = usePaletteCommands(asked, true);
  // Deferred, so that the field is drawn first.
  const found = useDeferredValue(
    useMemo(() => grouped(matching(all, asked)), [all, asked]),
    NOT_YET,
  );
  const at = Math.min(chosen, found.length - 1);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, found]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onDone();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: found.length - 1,
    };
    const step = steps[event.key];
    if (event.key === "Enter") run(found[at]);
    else if (step !== undefined && found.length > 0) setChosen((step + found.length) % found.length);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search className="size-4 shrink-0 text-faint" aria-hidden="true" />
        <input
          role="combobox"
          aria-label="Search pages, tasks, conversations and commands"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found[at] && `${id}-${found[at].id}`}
          placeholder="Go to a page, a task, a conversation …"
          className="h-12 min-w-0 flex-1 bg-transparent text-base outline-none"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
        />
        <Kbd keys="esc" />
      </div>
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label="Found"
        className="min-h-0 overflow-y-auto p-1.5"
      >
        {found.map((command, index) => (
          <div key={command.id}>
            {command.group !== found[index - 1]?.group && (
              <div role="presentation" className="px-2.5 pb-1 pt-2 text-xs font-medium text-faint">
                {command.group}
              </div>
            )}
            <div
              role="option"
              id={`${id}-${command.id}`}
              aria-selected={index === at}
              onClick={() => run(command)}
              onMouseMove={() => setChosen(index)}
              className={cx(
                "flex min-h-8 cursor-pointer items-center gap-2 rounded-md px-2.5 py-1 text-sm",
                index === at && "bg-hover",
              )}
            >
              <span className="min-w-0 flex-1 truncate">{command.name}</span>
            </div>
          </div>
        ))}
        {found.length === 0 && found !== NOT_YET && (
          <p className="px-2.5 py-6 text-center text-sm text-muted">Nothing is called so.</p>
        )}
      </div>
    </>
  );
}

/** Commands sorted by group, groups in order of first appearance. */
function grouped(commands: readonly Command[]): Command[] {
  const groups = new Map<string, Command[]>();
  for (const one of commands) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups.values()].flat();
}
