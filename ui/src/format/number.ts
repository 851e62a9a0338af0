/** Three significant digits; whole numbers with separators from 1,000 on. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 10 ** digits || Number.isInteger(value)) return whole.format(value);
  return formatter(digits).format(value);
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const formatters = new Map<number, Intl.NumberFormat>();

function formatter(digits: number): Intl.NumberFormat {
  let found = formatters.get(digits);
  if (!found)
    formatters.set(digits, (found = new Intl.NumberFormat("en", { maximumSignificantDigits: digits })));
  return found;
}

/** `1234` → `1,234`. */
export function count(value: number): string {
  return whole.format(value);
}

const compactFormat = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** For axes and narrow places: `12.3K`. */
export function compact(value: number): string {
  return compactFormat.format(value);
}

/** `plural(2, "task")` → `2 tasks`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A part as percent: 0.123 → `12.3 %`. With `sign` it is a change: `+12.3 %`, `−4 %`. */
export function percent(part: number, options: { sign?: boolean; digits?: number } = {}): string {
  if (!Number.isFinite(part)) return "–";
  const value = part * 100;
  const size = Math.abs(value);
  const digits = options.digits ?? (size >= 100 ? 0 : 1);
  const text = trimmed(size.toFixed(digits));
  const zero = Number(text) === 0;
  const sign = zero ? (options.sign ? "±" : "") : value < 0 ? "−" : options.sign ? "+" : "";
  return `${sign}${Number(text) >= 1000 ? whole.format(Number(text)) : text} %`;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
