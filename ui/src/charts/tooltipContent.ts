/** A tooltip's content. Text nodes only: names are untrusted. */
export function tooltipContent(
  title: string,
  rows: readonly (readonly [label: string, value: string, colour?: string])[],
): HTMLElement {
  const box = document.createElement("div");
  const head = box.appendChild(document.createElement("div"));
  head.textContent = title;
  head.className = "max-w-72 truncate font-semibold";
  const list = box.appendChild(document.createElement("dl"));
  list.className = "mt-1 grid grid-cols-[auto_auto] gap-x-4 gap-y-0.5";
  for (const [label, value, colour] of rows) {
    const term = list.appendChild(document.createElement("dt"));
    term.className = "flex items-center gap-1.5 text-muted";
    if (colour) {
      const dot = term.appendChild(document.createElement("span"));
      dot.className = "size-2 rounded-full";
      dot.style.background = colour;
    }
    term.append(label);
    const said = list.appendChild(document.createElement("dd"));
    said.textContent = value;
    said.className = "num text-right";
  }
  return box;
}
