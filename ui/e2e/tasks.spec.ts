import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import {
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  inTheme,
  NO_TAKEOVER,
  test as base,
  THEMES,
} from "./fixtures";
import { NEWEST, seedTasks } from "./tasks-seed";

const COUNT = 2000;

const test = base.extend<object, { running: string }>({
  running: [async ({ server }, use) => use(seedTasks(server.home, COUNT)), { scope: "worker" }],
});
test.use({ ...NO_TAKEOVER, allowed: [/404 \(Not Found\).*\/api\/tasks\/ffffffff/] });
test.beforeEach(({ running }) => expect(running).toHaveLength(8));

const table = (page: Page) => page.getByRole("table", { name: "Tasks" });
const rows = (page: Page) => table(page).locator("tr[data-row]");
const cell = (page: Page, row: number, column: number) => rows(page).nth(row).locator("td").nth(column);

test("thousands of tasks are one list, of which what is seen is drawn", async ({ page }) => {
  await page.goto("/tasks");
  await expect(table(page)).toHaveAttribute("aria-rowcount", String(COUNT + 2));
  expect(await rows(page).count()).toBeLessThan(80);
  await rows(page).first().focus();
  await page.keyboard.press("End");
  await expect(page.locator(`tr[data-row="${COUNT}"]`)).toBeFocused();
  expect(await rows(page).count()).toBeLessThan(80);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/tasks\/[0-9a-f]{8}$/);
});

test("it is sorted by its headers, the best and the worst first", async ({ page }) => {
  await page.goto("/tasks");
  await expect(table(page).getByRole("columnheader", { name: "Created" })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
  await table(page).getByRole("button", { name: "Gain" }).click();
  await expect(cell(page, 0, 3)).toHaveText("+61 %");
  await table(page).getByRole("button", { name: "Gain" }).click();
  await expect(cell(page, 0, 3)).toHaveText("−8 %");
  await table(page).getByRole("button", { name: "Task" }).click();
  await expect(cell(page, 0, 0)).toHaveText(/^agents /);
});

test("it is searched and filtered, and the address keeps that", async ({ page }) => {
  await page.goto("/tasks");
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type("CHAT mistral");
  await expect(page).toHaveURL(/q=CHAT\+mistral/);
  await page.getByRole("button", { name: "Completed" }).click();
  await page.getByLabel("Engine").selectOption("tensorrt-llm");
  await page.reload();
  await expect(page.getByRole("searchbox", { name: "Search tasks" })).toHaveValue("CHAT mistral");
  await expect(rows(page).first()).toBeVisible();
  for (const text of await rows(page).allInnerTexts()) {
    expect(text).toMatch(/^chat \d+/);
    expect(text).toContain("Completed");
    expect(text).toContain("tensorrt-llm");
  }
  await page.getByRole("searchbox", { name: "Search tasks" }).fill("no such task");
  await page.getByRole("button", { name: "Show all tasks" }).click();
  await expect(table(page)).toHaveAttribute("aria-rowcount", String(COUNT + 2));
});

test("a task that runs shows how far it is, and no gain before one is proven", async ({ page, running }) => {
  await page.goto("/tasks?state=active");
  const row = rows(page).filter({ has: page.locator(`a[href="/tasks/${running}"]`) });
  await expect(row.getByRole("progressbar")).toHaveAttribute("aria-valuetext", "11 of about 17 experiments");
  await expect(row).not.toContainText("+90.7 %");
});

test("names, reasons and logs with markup in them are text", async ({ page, running }) => {
  for (const path of ["/tasks?state=active", `/tasks/${running}`]) {
    await page.goto(path);
    await expect(page.getByText("<img src=x").first()).toBeVisible();
    await expect(page.locator("main img")).toHaveCount(0);
    expect(await page.title()).not.toBe("planted");
  }
});

test("a running task shows its experiment, its load levels, and the best so far", async ({
  page,
  running,
}) => {
  await page.goto(`/tasks/${running}`);
  const progress = page.getByRole("region", { name: "Progress" });
  await expect(progress).toContainText("of about 17");
  await expect(progress).toContainText("1,716 tok/s");
  await expect(progress).toContainText("+90.7 %");
  await expect(page.getByRole("list", { name: "Phases" }).locator("[aria-current=step]")).toContainText(
    "Measuring",
  );
  const levels = page.getByRole("region", { name: "Load levels" });
  await expect(levels.getByRole("row", { name: "D(512,128) × 8" })).toContainText(
    "240 above the limit of 200 ms",
  );
  await expect(levels.getByRole("row", { name: "D(512,128) × 32" }).locator("svg")).toBeVisible();
  await expect(page.getByRole("img", { name: /Best so far.*1,716 tok\/s, of experiment 3/ })).toBeVisible();
  await page.getByRole("button", { name: "Show as table" }).click();
  await expect(page.getByRole("table", { name: "Best so far" }).getByRole("row")).toHaveCount(11);
  const runs = page.getByRole("table", { name: "Experiments" });
  await expect(runs.locator("tr[data-row]").first()).toContainText("Running");
  await expect(runs.getByRole("row", { name: /Not enough memory/ })).toContainText("Failed");
});

test("the log follows its end, pauses, and is searched by text and level", async ({
  page,
  running,
  server,
}) => {
  const file = join(server.home, "runs", running, String(NEWEST), "engine.log");
  await page.goto(`/tasks/${running}`);
  const log = page.getByRole("log", { name: "Log" });
  const follow = page.getByRole("button", { name: "Follow the end" });
  await log.scrollIntoViewIfNeeded();
  await appendFile(file, "INFO the newest line\n");
  await expect(log.getByText("INFO the newest line")).toBeInViewport();
  await expect(follow).toHaveAttribute("aria-pressed", "true");

  await log.hover();
  await page.mouse.wheel(0, -600);
  await expect(follow).toHaveAttribute("aria-pressed", "false");
  await appendFile(file, "INFO unseen\n");
  await expect(page.getByText("407 lines")).toBeVisible();
  await expect(log.getByText("INFO unseen")).not.toBeInViewport();
  await follow.click();
  await expect(log.getByText("INFO unseen")).toBeInViewport();

  await page.getByRole("button", { name: "Pause" }).click();
  await appendFile(file, "ERROR while paused\n");
  await expect(page.getByText("1 more while paused")).toBeVisible();
  await expect(log.getByText("ERROR while paused")).toHaveCount(0);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(log.getByText("ERROR while paused")).toBeInViewport();

  await page.getByLabel("Levels", { exact: true }).selectOption("Errors");
  await expect(page.getByText("5 of 408 lines")).toBeVisible();
  await expect(log.getByText("ValueError: no slot is free")).toBeVisible();
  await page.getByRole("searchbox", { name: "Search the log" }).fill("SLOT");
  await expect(log.locator("mark")).toHaveText("slot");
  await page.getByLabel("Which log").selectOption("Load generator");
  await expect(page.getByText("Nothing has been written yet.")).toBeVisible();
});

test("an address of no task says so, and leads back", async ({ page }) => {
  await page.goto("/tasks/ffffffff");
  await expect(page.getByRole("alert")).toContainText("No task 'ffffffff'");
  await page.getByRole("link", { name: "All tasks" }).click();
  await expect(page).toHaveURL(/\/tasks$/);
});

for (const theme of THEMES) {
  test(`list and task are accessible in the ${theme} theme`, async ({ page, running }) => {
    await inTheme(page, theme);
    await page.goto("/tasks");
    await expect(rows(page).first()).toBeVisible();
    await expectAccessible(page);
    await page.goto(`/tasks/${running}`);
    await expect(page.getByRole("log")).toBeVisible();
    await expectAccessible(page);
  });
}

test("nothing is wider than a telephone", async ({ page, running }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto("/tasks");
  await expect(rows(page).first()).toBeVisible();
  await expectNoSidewaysScroll(page);
  await page.goto(`/tasks/${running}`);
  await expect(page.getByRole("log")).toBeAttached();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
