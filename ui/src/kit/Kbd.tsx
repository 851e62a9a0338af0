const MAC = /mac|iphone|ipad/i.test(navigator.userAgent);

/** Keys to press: `mod+k` is ⌘K where that is usual, Ctrl K elsewhere. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-0.5">
      {keys.split("+").map((key) => (
        <kbd
          key={key}
          className="inline-flex h-[18px] min-w-[18px] items-center justify-center rounded border border-line bg-sunken px-1 font-sans text-xs text-muted"
        >
          {named(key)}
        </kbd>
      ))}
    </span>
  );
}

function named(key: string): string {
  const names: Record<string, string> = {
    mod: MAC ? "⌘" : "Ctrl",
    enter: "↵",
    shift: "⇧",
    up: "↑",
    down: "↓",
    esc: "Esc",
  };
  return names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}
