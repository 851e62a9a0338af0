import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

export default defineConfig(base, { testIgnore: [], testMatch: "shots.spec.ts", timeout: 600_000 });
