/** A copy of the list with one entry moved, not beyond its ends. */
export function moved<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const next = [...list];
  const [one] = next.splice(from, 1);
  if (one === undefined) return next;
  next.splice(Math.max(0, Math.min(next.length, from + by)), 0, one);
  return next;
}
