import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

export default defineConfig(base, {
  testDir: "speed",
  testIgnore: [],
  timeout: 60_000,
  retries: 0,
  use: { contextOptions: {}, trace: "off", actionTimeout: 10_000 },
});
