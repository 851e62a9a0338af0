import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** Debian's, where it is; else what Playwright brings. */
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "e2e",
  testIgnore: "shots.spec.ts",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 2,
  // Patience for a machine that others use as well; what needs its second try is listed as flaky.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  retries: 1,
  forbidOnly: Boolean(process.env.CI),
  reporter: "list",
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    trace: "retain-on-failure",
    launchOptions: { executablePath: existsSync(chromium) ? chromium : undefined },
    contextOptions: { reducedMotion: "reduce" },
  },
});
