/** Resolved CSS colours of the current theme. */
export type Palette = {
  series: string[];
  text: string;
  muted: string;
  faint: string;
  line: string;
  surface: string;
  raised: string;
  accent: string;
  ok: string;
  warn: string;
  bad: string;
};

const NAMES = [
  "text",
  "muted",
  "faint",
  "line",
  "surface",
  "raised",
  "accent-text",
  "ok",
  "warn",
  "bad",
] as const;
const SERIES = 8;

export function readPalette(): Palette {
  const probe = document.createElement("span");
  // With reduced motion everything has a transition of no length, and the computed colour would be the previous one.
  probe.style.transitionProperty = "none";
  document.body.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [
    text = "",
    muted = "",
    faint = "",
    line = "",
    surface = "",
    raised = "",
    accent = "",
    ok = "",
    warn = "",
    bad = "",
  ] = NAMES.map(colour);
  const series = Array.from({ length: SERIES }, (_, index) => colour(`chart-${index + 1}`));
  probe.remove();
  return { series, text, muted, faint, line, surface, raised, accent, ok, warn, bad };
}

/** The colour with an alpha: `faded("rgb(1, 2, 3)", 0.2)`. */
export function faded(colour: string, alpha: number): string {
  const parts = /^rgba?\(([^)]+)\)$/
    .exec(colour)?.[1]
    ?.split(/[,\s/]+/)
    .slice(0, 3);
  return parts ? `rgba(${parts.join(", ")}, ${alpha})` : colour;
}
