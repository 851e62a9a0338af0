import { readFile } from "node:fs/promises";
import { approval, composer, over, say, tabTo, thread } from "./chat";
import { expect, expectAccessible, expectNoSidewaysScroll, inTheme, test, THEMES } from "./fixtures";
import { hasGenerator } from "./generator";

// The built-in offline model: what everybody meets who has set no other.

const QUICK = "over max-num-seqs 4, 8, sim-speed 8 at concurrency 4 scenario D(128,16) 8 requests confirm 1";
const SLOW = "over max-num-seqs 1, 2, 4, 8, 16, 32 at concurrency 4 scenario D(128,400) 400 requests";
const HTML = '<script>document.title="planted"</script><img src=x onerror="document.title=1">';

test("from a suggestion to an answer, which is copied and asked for again", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto("/");
  await page.getByRole("button", { name: /^All that can be asked/ }).click();
  await over(page);
  await expect(page).toHaveURL(/\/chat\/[0-9a-f]{32}$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("help");
  await expect(page.getByRole("button", { name: "Model: offline" })).toBeVisible();
  await page.getByRole("button", { name: "Copy answer" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("I am the **offline model**");

  const said = thread(page).getByRole("article", { name: "You said" });
  const before = await said.elementHandle();
  await page.getByRole("button", { name: "Ask again" }).click();
  await before?.waitForElementState("hidden"); // the same words, said anew
  await over(page);
  await expect(said).toHaveCount(1);

  await page.getByRole("button", { name: "Edit and send again" }).click();
  const edited = page.getByRole("form", { name: "Edit message" }).getByRole("textbox");
  await edited.fill("list tasks");
  await edited.press("Enter");
  await expect(thread(page)).toContainText("There is no task");
  await expect(thread(page)).not.toContainText("I am the offline model: no language model");
});

test.describe("what is refused", () => {
  test.use({ allowed: [/ 422 /] });
  test("a task is planned, its start edited, approved, watched, and its result opened; the talk is exported", async ({
    page,
  }) => {
    test.skip(!hasGenerator, "autotuner engine install genai-bench");
    test.setTimeout(240_000);
    await page.goto("/");
    await say(page, `tune the demo model on simulated ${QUICK} called "the one" but don't start`);
    await expect(thread(page)).toContainText("It is a draft");
    await over(page);
    await say(page, `tune the demo model on simulated ${QUICK} called "the other"`);

    const card = approval(page, "start_task");
    await expect(card).toContainText("the other");
    await expect(card).toContainText("at most 6");
    await expect(card).toContainText("runs on the CPU");
    await card.getByText("The first 3 commands").click();
    await expect(card.getByRole("region", { name: "Commands" })).toContainText("--max-num-seqs 4");
    await expect(composer(page)).toHaveAttribute("aria-disabled", "true");
    await expect(page.getByText("1 call waits for your decision")).toBeVisible();

    await card.getByRole("button", { name: "Edit…" }).click();
    const field = card.getByRole("textbox", { name: "task" });
    await expect(field).toBeFocused();
    await field.fill("");
    await field.press("Enter");
    await expect(card).toContainText("has 0 characters; at least 1 must be there");
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await field.fill("the one");
    await card.getByRole("button", { name: "Approve as edited" }).click();

    const task = page.getByRole("region", { name: "Task the one" });
    await expect(task).toBeVisible();
    await expect(page.getByRole("region", { name: "start_task: Done" })).toContainText("edited");
    await expect(task).toContainText("Completed", { timeout: 180_000 });
    await expect(task).toContainText(/[56] experiments/);
    await expect(thread(page)).toContainText("A task that was started here has ended");
    await expect(thread(page)).toContainText("Measured on the simulated engine");
    await over(page);

    const saved = page.waitForEvent("download");
    await page
      .getByRole("main")
      .getByRole("button", { name: /^Options of/ })
      .last()
      .click();
    await page.getByRole("menuitem", { name: "Export as Markdown" }).click();
    const text = await readFile(await (await saved).path(), "utf8");
    expect(text).toContain("Approval asked for **start_task**");
    expect(text).toContain("the one");

    await task.getByRole("link", { name: "Result" }).click();
    await expect(page).toHaveURL(/\/tasks\/[0-9a-f]+\/result$/);
  });
});

test("a start is rejected with a reason; another one is stopped while it waits, and stays so after a reload", async ({
  page,
}) => {
  await page.goto("/");
  await say(page, `tune the demo model on simulated ${SLOW} called rejected`);
  const card = approval(page, "start_task");
  await card.getByRole("button", { name: "Reject…" }).click();
  await card.getByRole("textbox", { name: "Why not?" }).fill("Not before noon.");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "start_task: Rejected" })).toContainText("Not before noon.");
  await expect(thread(page)).toContainText("was not started");
  await over(page);
  await expect(composer(page)).toBeFocused();

  await say(page, "start rejected");
  await expect(card).toBeVisible();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("region", { name: "start_task: Cancelled" })).toBeVisible();
  await over(page);
  await page.reload();
  await expect(page.getByRole("region", { name: "start_task: Cancelled" })).toBeVisible();
  await expect(page.getByRole("region", { name: "start_task: Rejected" })).toBeVisible();
  await expect(card).toHaveCount(0);
  await expect(composer(page)).not.toHaveAttribute("aria-disabled");
});

test("what was allowed for the session is not asked for again", async ({ page, service }) => {
  await page.goto("/");
  await say(page, `tune the demo model on simulated ${SLOW} called "kept a" but don't start`);
  await over(page);
  await say(page, `tune the demo model on simulated ${SLOW} called "kept b" but don't start`);
  await over(page);
  await say(page, "delete kept a");
  const card = approval(page, "delete_task");
  await card.getByRole("button", { name: /Allow for this session/ }).click();
  const value = card.getByRole("textbox", { name: "Value of task" });
  await value.fill("*");
  await expect(card).toContainText("run without asking when task is *.");
  await card.getByRole("button", { name: "Approve and allow" }).click();
  await over(page);
  await say(page, "delete kept b");
  await expect(page.getByRole("region", { name: "delete_task: Done" })).toHaveCount(2);
  await over(page);
  const { items } = (await (await service.get("/api/tasks?text=kept")).json()) as { items: unknown[] };
  expect(items).toEqual([]);
});

test("everything is done by keyboard alone", async ({ page }) => {
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type("save the");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("second line");
  await expect(composer(page)).toHaveValue("save the\nsecond line");
  await composer(page).press("ControlOrMeta+a");
  await page.keyboard.type(`tune the demo model on simulated ${SLOW} called keys`);
  await page.keyboard.press("Enter");
  const card = approval(page, "start_task");
  await expect(card).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Review" }));
  await page.keyboard.press("Enter");
  await expect(card).toBeFocused();
  await tabTo(page, card.getByRole("button", { name: "Edit…" }));
  await page.keyboard.press("Enter");
  await expect(card.getByRole("textbox", { name: "task" })).toBeFocused();
  await page.keyboard.press("Escape");
  await tabTo(page, card.getByRole("button", { name: "Reject…" }));
  await page.keyboard.press("Enter");
  await page.keyboard.type("No.");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "start_task: Rejected" })).toBeVisible();
  await over(page);
  await expect(composer(page)).toBeFocused();
});

test("conversations are found, renamed and deleted", async ({ page }) => {
  await page.goto("/");
  await say(page, "list presets");
  await over(page);
  const list = page.getByRole("complementary", { name: "Conversations" });
  const options = page.getByRole("main").getByRole("button", { name: "Options of list presets" }).last();
  await options.click();
  await page.getByRole("menuitem", { name: "Rename…" }).click();
  await page.getByRole("textbox", { name: "Title" }).fill(`Renamed ${HTML}`);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Renamed ${HTML}`);
  await expect(list.getByRole("link", { name: /^Renamed/ })).toBeVisible();
  await expect(page).toHaveTitle(`Renamed ${HTML} · Autotuner`);

  await list.getByRole("searchbox").fill("renamed");
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await list.getByRole("searchbox").fill("no such thing");
  await expect(list).toContainText("Nothing with “no such thing” in it.");
  await list.getByRole("searchbox").fill("");

  await page
    .getByRole("main")
    .getByRole("button", { name: /^Options of Renamed/ })
    .last()
    .click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
  await expect(list.getByRole("link", { name: /^Renamed/ })).toHaveCount(0);
});

test.describe("a conversation that is not there", () => {
  test.use({ allowed: [/404/] });
  test("says so, with a way out", async ({ page }) => {
    await page.goto(`/chat/${"0".repeat(32)}`);
    await expect(page.getByText("This conversation cannot be opened")).toBeVisible();
    await page.getByRole("link", { name: "Begin a new one" }).click();
    await expect(page.getByText("What shall run faster?")).toBeVisible();
  });
});

for (const theme of THEMES) {
  test(`is accessible in the ${theme} theme, also on a telephone`, async ({ page }) => {
    await inTheme(page, theme);
    await page.goto("/");
    await expect(page.getByText("What shall run faster?")).toBeVisible();
    await expectAccessible(page);
    await say(page, `tune the demo model on simulated ${SLOW} called looks`);
    const card = approval(page, "start_task");
    await expect(card).toBeVisible();
    await page.getByRole("button", { name: /create_task/ }).click();
    await expectAccessible(page);
    await card.getByRole("button", { name: "Edit…" }).click();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(page);
    await page.getByRole("button", { name: "Conversations" }).click();
    await expect(page.getByRole("dialog").getByRole("searchbox")).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Stop" }).click();
    await over(page);
    await expectAccessible(page);
  });
}
