import type { Locator, Page } from "@playwright/test";
import { figure } from "./figure";
import { longest, observe } from "./observe";
import { test } from "./speed";

const LIMIT_S = 2;
const LONGEST_MS = 200;
/** In which what comes after the content comes: charts, the log. */
const SETTLED_MS = 2_000;

/** From the address to what it is about, and the longest that the page answered nobody meanwhile. */
async function opened(page: Page, what: string, path: string, content: Locator): Promise<void> {
  const began = performance.now();
  await page.goto(path);
  await content.waitFor();
  figure(`${what}: until it is there`, (performance.now() - began) / 1000, LIMIT_S, "s");
  await page.waitForTimeout(SETTLED_MS);
  figure(`${what}: longest task`, await longest(page), LONGEST_MS, "ms");
}

test("2,000 tasks, 500 experiments, 1,000 messages", async ({ page, scale }) => {
  await observe(page);
  const rows = (name: string) => page.getByRole("table", { name }).locator("tr[data-row]").first();
  await opened(page, "2,000 tasks", "/tasks", rows("Tasks"));
  await opened(page, "a task with 500 experiments", `/tasks/${scale.running}`, rows("Experiments"));
  await opened(page, "a result of 500 experiments", `/tasks/${scale.ended}/result`, rows("Experiments"));
  await opened(
    page,
    "1,000 messages",
    `/chat/${scale.session}`,
    page.getByText("Answer 500.", { exact: true }),
  );
});
