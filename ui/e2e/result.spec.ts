import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScroll, inTheme, test, THEMES } from "./fixtures";
import { type Seeded, seed } from "./result-seed";

let ids: Seeded;
test.beforeAll(({ server }) => void (ids = seed(server.home)));

const address = (id: string, query = "") => `/tasks/${id}/result${query}`;
const charts = (page: Page) =>
  page.locator("figure").filter({ has: page.getByRole("button", { name: "Save chart" }) });
async function drawn(page: Page): Promise<void> {
  await expect(charts(page).locator("canvas").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Save chart" }).last()).toBeEnabled();
}
const numbers = (page: Page) =>
  page.getByRole("table", { name: "Experiments" }).locator("tr[data-row] td:nth-child(2)").allInnerTexts();

test("the headline says what won, by how much, how sure, where, and within which limits", async ({
  page,
}) => {
  await page.goto(address(ids.proven));
  const outcome = page.getByRole("region", { name: "Outcome" });
  await expect(outcome.getByText("Proven", { exact: true })).toBeVisible();
  await expect(outcome.getByText(/^\+\d\d\.?\d? %$/)).toBeVisible();
  await expect(outcome.getByText(/^\+\d\d\.?\d? % to \+\d\d\.?\d? %$/)).toBeVisible();
  await expect(outcome.getByText(/\d fresh measurements each/)).toBeVisible();
  await expect(outcome.getByRole("region", { name: "Operating point" })).toContainText("concurrency 128");
  const slos = outcome.getByRole("table", { name: "SLOs at the operating point" });
  await expect(slos.getByRole("row", { name: /TPOT/ })).toContainText("binds");
  await expect(slos.getByLabel("met")).toHaveCount(1);
  await expect(slos.getByLabel("too close to say")).toHaveCount(1);
  await expect(outcome.getByText("Simulated")).toHaveCount(0);
});

test("no feasible configuration, nothing completed, nothing measured and simulated are said plainly", async ({
  page,
}) => {
  const outcome = page.getByRole("region", { name: "Outcome" });
  await page.goto(address(ids.infeasible));
  await expect(outcome.getByText("No feasible configuration")).toBeVisible();
  await expect(outcome.getByLabel("missed")).toHaveCount(1);
  await expect(page.getByRole("heading", { name: "What to run" })).toHaveCount(0);
  await page.goto(address(ids.failed));
  await expect(outcome.getByText("Nothing completed", { exact: true })).toBeVisible();
  await expect(page.getByRole("row", { name: /#1 out of memory.*Not enough memory/ })).toBeVisible();
  await expect(charts(page)).toHaveCount(0);
  await page.goto(address(ids.draft));
  await expect(outcome.getByText("Nothing measured yet", { exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: "To the task" })).toBeVisible();
  await page.goto(address(ids.objectives));
  await expect(outcome.getByText("Simulated")).toBeVisible();
  await expect(page.getByText("Objectives against each other")).toBeVisible();
});

test("every chart can be read as a table, and saved as PNG and SVG", async ({ page }) => {
  await page.goto(address(ids.proven));
  await drawn(page);
  for (const name of [
    "Throughput against latency",
    "Metric against load",
    "Search history",
    "What each parameter explains",
    "Effect of max-num-seqs",
    "Parallel coordinates",
  ]) {
    await expect(page.getByRole("img", { name: new RegExp(`^${name}`) })).toHaveCount(1);
  }
  const first = charts(page).first();
  await first.getByRole("button", { name: "Show as table" }).click();
  await expect(first.getByRole("table").getByRole("row", { name: /#0, baseline 128/ })).toBeVisible();
  await first.getByRole("button", { name: "Show as chart" }).click();
  for (const [kind, begin] of [
    ["PNG", "\u0089PNG"],
    ["SVG", "<svg"],
  ] as const) {
    await first.getByRole("button", { name: "Save chart" }).click();
    const saving = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: kind }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe(
      `chat-8B-on-H100-throughput-against-latency.${kind.toLowerCase()}`,
    );
    expect((await readFile(await saved.path())).toString("latin1").slice(0, begin.length)).toBe(begin);
  }
});

test("metric, statistic, latency and scale can be chosen", async ({ page }) => {
  await page.goto(address(ids.scenarios));
  await drawn(page);
  const load = charts(page).nth(1);
  await expect(load.getByLabel("Statistic", { exact: true })).toBeDisabled();
  await load.getByLabel("Metric", { exact: true }).selectOption("ttft");
  await load.getByLabel("Statistic", { exact: true }).selectOption("p99");
  await load.getByLabel("Traffic").selectOption("D(4000,200)");
  await expect(load.getByRole("img")).toHaveAccessibleName(/TTFT p99 of 6 configurations/);
  const front = charts(page).first();
  await front.getByLabel("Latency", { exact: true }).selectOption({ label: "Latency p95" });
  await front.getByRole("button", { name: /logarithmic/ }).click();
  await expect(front.getByRole("button", { name: "Latency p95 (ms), logarithmic" })).toBeVisible();
});

test("hovering a row marks its configuration in the charts, and a point its row", async ({ page }) => {
  // Tall enough to see both without scrolling, which would move what is under the pointer.
  await page.setViewportSize({ width: 1280, height: 2000 });
  await page.goto(address(ids.proven));
  await drawn(page);
  const picture = charts(page).nth(1).locator("canvas").first();
  const before = await picture.screenshot();
  await page.getByRole("row", { name: /#7 / }).hover();
  await expect.poll(async () => (await picture.screenshot()).equals(before)).toBe(false);
  await expect(page.getByRole("row", { name: /#7 / })).toHaveClass(/bg-accent-soft/);
  // The last point of a curve stands at the right of the plot: somewhere along that edge is one.
  const highlighted = page.locator("tr[data-row].bg-accent-soft");
  const box = await picture.boundingBox();
  if (!box) throw new Error("The chart has no place.");
  await page.mouse.move(box.x + 5, box.y + 5);
  await expect(highlighted).toHaveCount(0);
  await expect(async () => {
    for (let y = 40; y < box.height - 40; y += 4) {
      await page.mouse.move(box.x + box.width - 16, box.y + y);
      if ((await highlighted.count()) > 0) return;
    }
    throw new Error("No point was hit.");
  }).toPass();
});

test("the table sorts with the baseline on top, filters, and shows the columns that are wanted", async ({
  page,
}) => {
  await page.goto(address(ids.proven));
  const table = page.getByRole("table", { name: "Experiments" });
  await expect
    .poll(async () => (await numbers(page)).slice(0, 2))
    .toEqual([expect.stringContaining("#0"), expect.stringContaining("#14")]);
  await table.getByRole("button", { name: "#", exact: true }).click();
  await expect
    .poll(async () => (await numbers(page)).slice(0, 3))
    .toEqual([expect.stringContaining("#0"), expect.stringContaining("#1"), expect.stringContaining("#2")]);
  await page.getByLabel("Which experiments").selectOption("failed");
  await expect
    .poll(() => numbers(page))
    .toEqual([expect.stringContaining("#0"), expect.stringMatching(/#\d+.*out of memory/s)]);
  await page.getByLabel("Which experiments").selectOption("all");
  await expect(table.getByRole("columnheader", { name: "ITL p99 (ms)" })).toHaveCount(0);
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: "ITL p99 (ms)" }).check();
  await page.getByRole("checkbox", { name: "Place" }).uncheck();
  await page.keyboard.press("Escape");
  await expect(table.getByRole("columnheader", { name: "ITL p99 (ms)" })).toHaveCount(1);
  await expect(table.getByRole("columnheader", { name: "Place" })).toHaveCount(0);
});

test("two to six are compared side by side, the baseline first, by an address that can be sent", async ({
  page,
}) => {
  await page.goto(address(ids.proven));
  await expect(page.getByRole("button", { name: "Compare", exact: true })).toBeDisabled();
  for (const number of [14, 19])
    await page.getByRole("checkbox", { name: `Compare experiment ${number}`, exact: true }).check();
  await page.getByRole("button", { name: "Compare 2" }).click();
  const dialog = page.getByRole("dialog", { name: "Comparison" });
  await expect(dialog.getByRole("columnheader").filter({ hasText: "#" })).toHaveText([
    /#0.*baseline/,
    /#14.*best/,
    /#19/,
  ]);
  await expect(dialog.getByRole("row", { name: /max-num-seqs/ }).getByRole("cell")).toHaveText([
    "default",
    "128",
    "256",
  ]);
  await page.reload();
  await expect(dialog.getByRole("row", { name: /Output tokens per second/ }).first()).toContainText("%");
  await dialog.getByRole("button", { name: "Leave out 19" }).click();
  await expect(dialog.getByText("#19")).toHaveCount(0);
});

test("seven cannot be compared", async ({ page }) => {
  await page.goto(address(ids.proven, "?compare=1,2,3,4,5,14"));
  await expect(page.getByRole("checkbox", { name: "Compare experiment 14", exact: true })).toBeChecked();
  await expect(page.getByRole("checkbox", { name: "Compare experiment 19", exact: true })).toBeDisabled();
});

test("dragging along an axis chooses experiments for the table", async ({ page }) => {
  await page.goto(address(ids.proven));
  await drawn(page);
  const picture = charts(page).last().locator("canvas").first();
  await picture.scrollIntoViewIfNeeded();
  const box = await picture.boundingBox();
  if (!box) throw new Error("The chart has no place.");
  // The first axis, its lower half.
  await page.mouse.move(box.x + 48, box.y + box.height * 0.6);
  await page.mouse.down();
  await page.mouse.move(box.x + 48, box.y + box.height - 26, { steps: 6 });
  await page.mouse.up();
  await expect(page.getByRole("heading", { name: /^Experiments \d+ of 33$/ })).toBeVisible();
});

test("GPUs are counted where they differ", async ({ page }) => {
  await page.goto(address(ids.gpus));
  const table = page.getByRole("table", { name: "Experiments" });
  await expect(table.getByRole("columnheader", { name: "GPUs" })).toBeVisible();
  await expect(table.getByRole("columnheader", { name: /Output per GPU/ })).toBeVisible();
  await expect(charts(page).first().getByLabel("Throughput", { exact: true })).toHaveValue(
    "output_tokens_per_s_per_gpu",
  );
});

test("500 experiments: few rows are drawn, the baseline stays in view, End reaches the last", async ({
  page,
}) => {
  await page.goto(address(ids.many));
  await drawn(page);
  const rows = page.getByRole("table", { name: "Experiments" }).locator("tr[data-row]");
  expect(await rows.count()).toBeLessThan(80);
  await rows.first().focus();
  await page.keyboard.press("End");
  await expect(rows.last()).toHaveAttribute("data-row", "499");
  await expect(rows.last()).toBeFocused();
  await expect(rows.first()).toHaveAttribute("data-row", "0");
  await expect(rows.first()).toBeInViewport();
});

test("by keyboard alone: to the table, along it, into an experiment and back", async ({ page }) => {
  await page.goto(address(ids.proven));
  await page.getByRole("button", { name: "Columns" }).focus();
  const row = page.locator("tr[data-row='0']");
  await expect(async () => {
    await page.keyboard.press("Tab");
    await expect(row).toBeFocused({ timeout: 200 });
  }).toPass();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toContainText("#14");
  await page.keyboard.press("Escape");
  await expect(page.locator("tr[data-row='1']")).toBeFocused();
});

test.describe("what the service does not find", () => {
  // The browser itself writes a line for each.
  test.use({ allowed: [/404/] });

  test("a failed experiment shows the decisive lines of its log, as text", async ({ page }) => {
    await page.goto(address(ids.proven));
    await page.getByLabel("Which experiments").selectOption("failed");
    await page
      .getByRole("row", { name: /out of memory/ })
      .getByText(/#\d+/)
      .first()
      .click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText("Not enough memory for the KV cache.")).toBeVisible();
    await expect(dialog.getByRole("region", { name: "The decisive lines of its log" })).toContainText(
      "<script>document.title='planted'</script>",
    );
    await expect(page).not.toHaveTitle("planted");
    await expect(page).toHaveURL(/experiment=\d+/);
    await dialog.getByRole("tab", { name: /Load levels/ }).click();
    await expect(dialog.getByText("No load level was measured")).toBeVisible();
    await dialog.getByRole("tab", { name: "Log" }).click();
    await expect(dialog.getByRole("alert")).toBeVisible();
    await dialog
      .getByRole("button", { name: /^Experiment \d+$/ })
      .first()
      .click();
    await dialog.getByRole("tab", { name: "Launch" }).click();
    await expect(dialog.getByText("--max-num-batched-tokens")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(page).not.toHaveURL(/experiment=/);
  });

  test("a task that is not there says so, with a way out", async ({ page }) => {
    await page.goto(address("ffffffff"));
    await expect(page.getByRole("alert")).toContainText("ffffffff");
    await expect(page.getByRole("link", { name: "All tasks" })).toBeVisible();
  });
});

for (const theme of THEMES) {
  test(`axe finds nothing serious in the ${theme} theme, and nothing is wider than 360 px`, async ({
    page,
  }) => {
    await inTheme(page, theme);
    await page.goto(address(ids.proven));
    await drawn(page);
    await expectAccessible(page);
    await page.goto(address(ids.proven, "?experiment=14"));
    await expect(page.getByRole("dialog")).toBeVisible();
    await expectAccessible(page);
    await page.goto(address(ids.objectives, "?compare=14,19&side-by-side=yes"));
    await expect(page.getByRole("dialog")).toBeVisible();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(address(ids.proven));
    await drawn(page);
    await expectNoSidewaysScroll(page);
  });
}
