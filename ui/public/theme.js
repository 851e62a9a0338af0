// Before anything is painted, so that the chosen theme is the first one seen. See src/app/theme.ts.
try {
  const chosen = localStorage.getItem("autotuner-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is closed to us: the system's theme it is.
}
