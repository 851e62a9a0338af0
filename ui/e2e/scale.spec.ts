import type { Locator, Page } from "@playwright/test";
import { expect, NO_TAKEOVER, test as base } from "./fixtures";
import { python } from "./python";
import { type Seeded, seed } from "./result-seed";
import { seedTasks } from "./tasks-seed";

const TASKS = 2000;
const EXPERIMENTS = 500;
const TURNS = 500;
/** Those with a result of each kind, and the one that runs. */
const OTHERS = 9;

type Full = { running: string; ended: Seeded["many"]; session: string };

/** On a data folder that is as full as one gets. */
const test = base.extend<object, { full: Full }>({
  full: [
    async ({ server: { home } }, use) => {
      const running = seedTasks(home, TASKS, EXPERIMENTS - 1);
      await use({ running, ended: seed(home).many, session: python("chat-seed.py", home, TURNS, running) });
    },
    { scope: "worker", timeout: 120_000 },
  ],
});
test.use(NO_TAKEOVER);
test.slow();
/** Thousands of events come before it can be there. */
const LOADED = { timeout: 40_000 };

const rows = (table: Locator) => table.locator("tr[data-row]");

/** However much there is, a page has about as many elements as fit on a screen. */
async function expectFewElements(page: Page, most: number): Promise<void> {
  expect(await page.locator("body *").count()).toBeLessThan(most);
}

/** By keyboard to the last row and back; few rows are drawn, wherever one is. */
async function walk(page: Page, table: Locator, last: number): Promise<void> {
  await rows(table).first().focus();
  await page.keyboard.press("End");
  await expect(table.locator(`tr[data-row="${last}"]`)).toBeFocused();
  await page.keyboard.press("PageUp");
  await expect(table.locator(`tr[data-row="${last - 10}"]`)).toBeFocused();
  expect(await rows(table).count()).toBeLessThan(80);
  await page.keyboard.press("Home");
  await expect(table.locator('tr[data-row="0"]')).toBeFocused();
}

test("a list of 2,000 tasks is sorted, filtered, searched and walked through", async ({ page, full }) => {
  await page.goto("/tasks");
  const table = page.getByRole("table", { name: "Tasks" });
  await expect(table).toHaveAttribute("aria-rowcount", String(TASKS + OTHERS + 1));
  await expectFewElements(page, 2000);
  await walk(page, table, TASKS + OTHERS - 1);
  const gains = async () => {
    const texts = await table.locator("tr[data-row] td:nth-child(4)").allInnerTexts();
    return texts.map((text) => Number(text.replace("−", "-").replace(/[ %+]/g, "")));
  };
  for (const sign of [-1, 1]) {
    await table.getByRole("button", { name: "Gain" }).click();
    await expect
      .poll(async () =>
        (await gains()).every((one, at, all) => sign * one >= sign * (all[at - 1] ?? -sign * 1000)),
      )
      .toBe(true);
  }
  await page.getByRole("searchbox", { name: "Search tasks" }).fill(full.running);
  await expect(table).toHaveAttribute("aria-rowcount", "2");
  await rows(table).first().press("Enter");
  await expect(page).toHaveURL(new RegExp(`${full.running}$`));
});

test("a task with 500 experiments is followed, sorted and walked through", async ({ page, full }) => {
  await page.goto(`/tasks/${full.running}`);
  const table = page.getByRole("table", { name: "Experiments" });
  await expect(table).toHaveAttribute("aria-rowcount", String(EXPERIMENTS + 1), LOADED);
  await expect(page.getByRole("progressbar", { name: "Experiments" })).toHaveAttribute(
    "aria-valuetext",
    /^499 /,
  );
  // A list of logs to choose from names each experiment.
  await expectFewElements(page, 2000 + EXPERIMENTS);
  await walk(page, table, EXPERIMENTS - 1);
  await table.getByRole("button", { name: "#", exact: true }).click();
  await expect(rows(table).first()).toContainText("0");
  await expect(page.getByLabel("Which log").getByRole("option")).toHaveCount(EXPERIMENTS + 2);
  await page.getByLabel("Which log").selectOption("Load generator");
  await expect(page.getByText("Nothing has been written yet.")).toBeVisible();
  await expect(
    page
      .getByRole("img", { name: /^Best so far/ })
      .locator("canvas")
      .first(),
  ).toBeVisible();
});

test("a result of 500 experiments is sorted, filtered, compared and walked through", async ({
  page,
  full,
}) => {
  await page.goto(`/tasks/${full.ended}/result`);
  const table = page.getByRole("table", { name: "Experiments" });
  await expect(table).toHaveAttribute("aria-rowcount", String(EXPERIMENTS + 1));
  await expect(page.getByRole("button", { name: "Save chart" }).last()).toBeEnabled();
  await expectFewElements(page, 3000);
  await walk(page, table, EXPERIMENTS - 1);
  await page.getByLabel("Which experiments").selectOption("failed");
  await expect(rows(table).nth(1)).toContainText("crashed");
  await page.getByLabel("Which experiments").selectOption("all");
  for (const place of [1, 2]) await rows(table).nth(place).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Compare 2" }).click();
  await expect(page.getByRole("dialog", { name: "Comparison" })).toBeVisible();
});

test("a conversation of 1,000 messages opens at its end, and is read up to its beginning", async ({
  page,
  full,
}) => {
  await page.goto(`/chat/${full.session}`);
  const thread = page.getByRole("log", { name: "Conversation" });
  await expect(thread.getByText(`Start ${full.running}`)).toBeInViewport(LOADED);
  await expect(thread.getByRole("region", { name: /^Task / })).toContainText("499 experiments", LOADED);
  await expectFewElements(page, 2000);
  await thread.focus();
  await page.keyboard.press("Home");
  await expect(thread.getByText("Question 1", { exact: true })).toBeInViewport();
  await expect.poll(() => thread.evaluate((log) => log.scrollTop)).toBe(0);
  await expectFewElements(page, 2000);
  await page.getByRole("button", { name: "To the newest" }).click();
  await expect(thread.getByText(`Start ${full.running}`)).toBeInViewport();
});
