import { writeStored } from "./storage";
import { createStore, useStore } from "./store";

export type Theme = "light" | "dark";
export type Choice = Theme | "system";

// The same name stands in public/theme.js, which runs before anything is painted.
const KEY = "autotuner-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export const choice = createStore<Choice>(kept());
const theme = createStore<Theme>(shown());

dark.addEventListener("change", () => theme.set(shown()));

export function choose(next: Choice): void {
  choice.set(next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  theme.set(shown());
  writeStored("local", KEY, next === "system" ? null : next);
}

/** The theme that is shown now. */
export function useTheme(): Theme {
  return useStore(theme);
}

export function useThemeChoice(): Choice {
  return useStore(choice);
}

function kept(): Choice {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

function shown(): Theme {
  const chosen = choice.get();
  return chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
}
