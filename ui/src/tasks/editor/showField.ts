/** Focuses the field of a path and scrolls to it; false if the form has none. */
export function showField(where: string): boolean {
  const parts = where.split(".");
  for (let end = parts.length; end > 0; end -= 1) {
    const path = CSS.escape(parts.slice(0, end).join("."));
    const place = document.querySelector<HTMLElement>(`[name="${path}"], [data-path="${path}"]`);
    if (!place) continue;
    for (let fold = place.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null)
      fold.open = true;
    const control = place.matches("input, textarea, select")
      ? place
      : place.querySelector<HTMLElement>("input, textarea, select, button");
    control?.focus({ preventScroll: true });
    (control ?? place).scrollIntoView({ block: "center" });
    return true;
  }
  return false;
}
