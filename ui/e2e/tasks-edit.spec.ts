import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScroll, inTheme, test, THEMES } from "./fixtures";
import { createTask, QUICK } from "./seed";

const plan = (page: Page) => page.getByRole("complementary", { name: "Plan" });
const editor = (page: Page) => page.getByRole("textbox", { name: "Task file" });
const tab = (page: Page, name: "Form" | "YAML") => page.getByRole("tab", { name });

const field = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true });

/** A new task on the simulated engine, with a name. */
async function begin(page: Page, name: string): Promise<void> {
  await page.goto("/tasks/new");
  await page.getByLabel("Engine", { exact: true }).selectOption("simulated");
  await field(page, "Name").fill(name);
  await field(page, "Model").fill("demo");
}

async function addFlag(page: Page, name: string, values: string): Promise<void> {
  await page.getByRole("combobox", { name: "Add a flag" }).fill(name);
  await page
    .getByRole("option", { name: new RegExp(`^${name}`) })
    .first()
    .click();
  await page.getByLabel(`Values of ${name}`).fill(values);
}

/** What stands in the editor. */
async function written(page: Page): Promise<string> {
  await expect(editor(page)).toBeVisible();
  return (await editor(page).locator(".cm-line").allInnerTexts()).join("\n").trimEnd();
}

async function write(page: Page, text: string): Promise<void> {
  await editor(page).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

test("form and YAML are two views of one task, with its plan beside them", async ({ page }) => {
  await begin(page, "two views");
  await addFlag(page, "max-num-seqs", "8, 16, 32");
  await page.getByRole("button", { name: "Add a limit" }).click();
  await field(page, "Bound of ttft p90").fill("250");
  await expect(plan(page)).toContainText("the baseline, 3 candidates");
  await expect(plan(page).getByRole("region", { name: "Code" }).first()).toContainText("--model demo");

  await tab(page, "YAML").click();
  expect(await written(page)).toBe(
    [
      "task_name: two views",
      "base_runtime: simulated",
      "model: demo",
      "parameters:",
      "  max-num-seqs: [8, 16, 32]",
      "slo:",
      "  ttft:",
      "    p90: {threshold: 0.25}",
    ].join("\n"),
  );
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("# a note\nbudget: {max_experiments: 3}\n");
  await expect(plan(page)).toContainText("the baseline, 2 candidates");

  await tab(page, "Form").click();
  await expect(field(page, "Experiments in all")).toHaveValue("3");
  await expect(field(page, "Bound of ttft p90")).toHaveValue("250");
  await field(page, "Experiments in all").fill("2");
  await tab(page, "YAML").click();
  expect(await written(page)).toContain("# a note\nbudget: {max_experiments: 2}");
});

test("a flag is one value, a list or a range", async ({ page }) => {
  await begin(page, "domains");
  await addFlag(page, "max-num-seqs", "8, 64");
  await page.getByLabel("How max-num-seqs varies").selectOption("try a range");
  await page.getByLabel("log scale").check();
  await page.getByLabel("Highest max-num-seqs").fill("128");
  await addFlag(page, "sim-speed", "2");
  await page.getByLabel("How sim-speed varies").selectOption("one value");
  await tab(page, "YAML").click();
  const text = await written(page);
  expect(text).toContain("max-num-seqs: {type: integer, low: 8, high: 128, log: true}");
  expect(text).toContain("sim-speed: 2");
  await tab(page, "Form").click();
  await page.getByRole("button", { name: "Remove max-num-seqs" }).click();
  await expect(plan(page)).toContainText("Nothing is varied");
});

test("what is wrong is said at its field and at its line", async ({ page }) => {
  await begin(page, "wrong");
  await addFlag(page, "max-num-seqs", "8, 16");
  await field(page, "Concurrency").fill("4, 0");
  const problem = plan(page).getByRole("button", { name: /benchmark › num_concurrency/ });
  await expect(problem).toContainText("must be at least 1, not 0");
  await expect(field(page, "Concurrency")).toHaveAccessibleDescription(/must be at least 1, not 0/);
  await field(page, "Name").focus();
  await problem.click();
  await expect(field(page, "Concurrency")).toBeFocused();

  await tab(page, "YAML").click();
  await expect(page.locator(".cm-lint-marker-error")).toHaveCount(1);
  await write(page, "task_name: x\nmodel: [demo\n");
  await tab(page, "Form").click();
  await expect(page.getByText("The form cannot read the YAML")).toBeVisible();
  await page.getByRole("button", { name: /Go to line \d/ }).click();
  await expect(editor(page)).toBeFocused();
  await write(page, "task_name: x\nmodel: demo\nbase_runtime: simulated\nparameterz: {}\n");
  await expect(plan(page)).toContainText("unknown key 'parameterz'; did you mean 'parameters'?");
  await plan(page)
    .getByRole("button", { name: /line 4/ })
    .click();
  await expect(page.locator(".cm-activeLine")).toHaveText("parameterz: {}");
});

test("what cannot be saved is not, and the first reason is shown", async ({ page, service }) => {
  await begin(page, "cannot be saved");
  await field(page, "Concurrency").fill("0");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(field(page, "Concurrency")).toBeFocused();
  await expect(page).toHaveURL(/\/tasks\/new$/);
  const found = (await (await service.get("/api/tasks?text=cannot be saved")).json()) as { total: number };
  expect(found.total).toBe(0);
});

test("nobody is told that a field is empty before he was there", async ({ page }) => {
  await page.goto("/tasks/new");
  await expect(plan(page)).toContainText("to mend before it can run");
  await expect(field(page, "Name")).not.toHaveAttribute("aria-invalid");
  await field(page, "Name").focus();
  await field(page, "Description").focus();
  await expect(field(page, "Name")).toHaveAccessibleDescription("this is missing; add it");
});

async function drop(page: Page, onto: Locator, files: Record<string, string>): Promise<void> {
  const data = await page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const [name, text] of Object.entries(given)) transfer.items.add(new File([text], name));
    return transfer;
  }, files);
  for (const kind of ["dragenter", "dragover", "drop"])
    await onto.dispatchEvent(kind, { dataTransfer: data });
}

test("a task file is imported by a drop, JSON as YAML, and exported again", async ({ page }) => {
  await page.goto("/tasks/new");
  await drop(page, plan(page), { "old.json": JSON.stringify({ ...QUICK, task_name: "dropped" }) });
  await expect(field(page, "Name")).toHaveValue("dropped");
  await expect(page.getByText("old.json is imported.")).toBeVisible();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  const file = await saved;
  expect(file.suggestedFilename()).toBe("dropped.yaml");
  expect(await readFile(await file.path(), "utf8")).toMatch(/^task_name: dropped\nbase_runtime: simulated\n/);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(field(page, "Name")).toHaveValue("");
});

test("several files that are dropped on the list become drafts", async ({ page, service }) => {
  await page.goto("/tasks");
  const one = (name: string) => `task_name: ${name}\nbase_runtime: simulated\nmodel: demo\n`;
  await drop(page, page.getByRole("main").getByRole("group", { name: "State" }), {
    "a.yaml": one("first of two"),
    "b.yaml": one("second of two"),
    "c.yaml": "task_name: none\nbase_runtime: nothing\nmodel: demo\n",
  });
  await expect(page.getByText("2 tasks imported as drafts.")).toBeVisible();
  await expect(page.getByText(/c\.yaml: .*no engine 'nothing'/)).toBeVisible();
  await expect(page.getByRole("link", { name: "second of two" })).toBeVisible();
  const found = (await (await service.get("/api/tasks?text=of two")).json()) as { total: number };
  expect(found.total).toBe(2);
});

test("a preset is applied over what is there, and taken back", async ({ page }) => {
  await begin(page, "with a preset");
  await page.getByRole("button", { name: "Apply a preset" }).click();
  await page.getByRole("menuitem", { name: "quick-check" }).click();
  await expect(field(page, "Configurations")).toHaveValue("4");
  await expect(field(page, "Traffic")).toHaveValue("D(100,32)");
  await expect(field(page, "Name")).toHaveValue("with a preset");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(field(page, "Configurations")).toHaveValue("");
});

test("what was not saved is there again after a reload, until one starts over", async ({ page }) => {
  await begin(page, "not saved");
  await page.reload();
  await expect(field(page, "Name")).toHaveValue("not saved");
  await page.getByRole("button", { name: "Start over" }).click();
  await expect(field(page, "Name")).toHaveValue("");
  await page.reload();
  await expect(field(page, "Name")).toHaveValue("");
});

test("a draft is saved, changed and deleted", async ({ page, service }) => {
  await begin(page, "a draft");
  await addFlag(page, "max-num-seqs", "8, 16");
  await addFlag(page, "sim-speed", "2, 4");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/\/tasks\/[0-9a-f]{8}$/);
  await expect(page.getByRole("heading", { name: /a draft/ })).toContainText("Draft");
  const id = page.url().slice(-8);

  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByRole("button", { name: "Remove sim-speed" }).click();
  await page.getByLabel("Values of max-num-seqs").fill("8, 16, 24");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/tasks/${id}$`));
  const task = (await (await service.get(`/api/tasks/${id}`)).json()) as { spec: { parameters: unknown } };
  expect(task.spec.parameters).toEqual({ "max-num-seqs": [8, 16, 24] });

  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Delete …" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("This cannot be undone");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/tasks$/);
  expect((await service.get(`/api/tasks/${id}`)).status()).toBe(404);
});

test("a copy of a task says what the task says, under another name", async ({ page, service }) => {
  const task = await createTask(service, { ...QUICK, task_name: "original" });
  await page.goto(`/tasks/new?from=${task.id}`);
  await expect(field(page, "Name")).toHaveValue("original copy");
  await expect(page.getByLabel("Values of max-num-seqs")).toHaveValue("4, 16, 64");
});

async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(target).toBeFocused();
}

test("a task is written with the keyboard alone", async ({ page }) => {
  await page.goto("/tasks/new");
  await tabTo(page, field(page, "Name"));
  await page.keyboard.type("by keyboard");
  await tabTo(page, page.getByLabel("Engine", { exact: true }));
  await page.keyboard.type("sim");
  await tabTo(page, field(page, "Model"));
  await page.keyboard.type("demo");
  await tabTo(page, page.getByRole("combobox", { name: "Add a flag" }));
  await page.keyboard.type("max-num-seqs");
  await expect(page.getByRole("option", { name: /^max-num-seqs/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByLabel("Values of max-num-seqs")).toBeFocused();
  await page.keyboard.type("8, 16");
  await expect(plan(page)).toContainText("the baseline, 2 candidates");
  await tabTo(page, page.getByRole("button", { name: "Save", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: /by keyboard/ })).toBeVisible();
});

for (const theme of THEMES) {
  test(`form, editor and draft are accessible in the ${theme} theme`, async ({ page, service }) => {
    await inTheme(page, theme);
    await begin(page, "accessible");
    await addFlag(page, "max-num-seqs", "8, oops");
    await page.getByRole("button", { name: "Add a limit" }).click();
    await expect(plan(page).getByRole("button", { name: /slo/ })).toBeVisible();
    await expectAccessible(page);
    await tab(page, "YAML").click();
    await expect(editor(page)).toBeVisible();
    await expectAccessible(page);
    const task = await createTask(service, { ...QUICK, task_name: "accessible" });
    await page.goto(`/tasks/${task.id}`);
    await expect(page.getByText("First commands")).toBeVisible();
    await expectAccessible(page);
  });
}

test("on a telephone nothing is wider than the screen", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await begin(page, "small");
  await addFlag(page, "max-num-seqs", "8, 16");
  await page.getByLabel("How max-num-seqs varies").selectOption("try a range");
  await expectNoSidewaysScroll(page);
  await expect(page.getByRole("button", { name: "Save and start" })).toBeInViewport({ ratio: 1 });
  await tab(page, "YAML").click();
  await expect(editor(page)).toBeVisible();
  await expectNoSidewaysScroll(page);
});
