import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect } from "../e2e/fixtures";
import { python } from "../e2e/python";
import { figure } from "./figure";
import { held } from "./observe";
import { EXPERIMENTS, test } from "./speed";

/** Ten a second. */
const HOUR = 36_000;
/** What two measurements of the same differ by. */
const NOISE_MB = 1;
const LINE = "INFO 11-21 10:00:01 [loggers.py:123] Engine 000: Running: 31 reqs, Waiting: 0 reqs\n";

/** An hour's worth of events and of lines of the log, as quickly as they can be had. */
async function hour(page: Page, home: string, task: string, name: string): Promise<void> {
  const attempt = python("../speed/feed.py", home, task, HOUR, 0);
  const log = join(home, "runs", task, String(EXPERIMENTS - 1), "engine.log");
  await appendFile(log, `${LINE.repeat(HOUR)}WARNING ${name}\n`);
  const soon = { timeout: 90_000 };
  await expect(page.getByText(`attempt ${attempt}`, { exact: true })).toBeVisible(soon);
  await expect(page.getByRole("log", { name: "Log" }).getByText(name)).toBeAttached(soon);
}

test("a page that is left open for hours", async ({ page, server, scale }) => {
  test.slow();
  await page.goto(`/tasks/${scale.running}`);
  await expect(page.getByRole("region", { name: "Load levels" })).toBeVisible();
  const client = await page.context().newCDPSession(page);
  // The first one fills what may be filled: the log is kept to a number of lines.
  await hour(page, server.home, scale.running, "the first hour");
  const before = await held(client);
  await hour(page, server.home, scale.running, "the second hour");
  const grown = (await held(client)) - before;
  figure(`memory of script, over ${before.toFixed(1)} MB, after an hour of events`, grown, NOISE_MB, "MB");
});
