import { expect, test } from "./fixtures";
import { hasGenerator } from "./generator";
import { LONG, QUICK, reached, startTask } from "./seed";

test.skip(!hasGenerator, "nothing can be measured here: autotuner engine install genai-bench");
test.slow();

const state = (text: string) => new RegExp(`\\b${text}$`);

test("a task is started, watched to its end, and leads to its result", async ({ page, service }) => {
  const made = await service.post("/api/tasks", { data: { ...QUICK, task_name: "watched" } });
  const { id } = (await made.json()) as { id: string };
  await page.goto(`/tasks/${id}`);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText(state("Draft"));
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
  await expect(heading).toHaveText(state("Running"), { timeout: 60_000 });
  const levels = page.getByRole("region", { name: "Load levels" });
  await expect(levels.getByRole("row", { name: /× 4/ })).toContainText(/\d/, { timeout: 60_000 });
  await expect(page.getByRole("log", { name: "Log" })).toContainText(/\S/, { timeout: 60_000 });
  await expect(heading).toHaveText(state("Completed"), { timeout: 120_000 });
  await expect(page.getByRole("region", { name: "Progress" })).toContainText("in all");
  await page.reload();
  await expect(page.getByRole("region", { name: "Progress" })).toContainText(
    /Not confirmed|more output tokens|No difference found|defaults are best/,
  );
  await expect(page.getByRole("table", { name: "Experiments" }).getByText("Completed").first()).toBeVisible();
  await page.getByRole("link", { name: "Result" }).click();
  await expect(page).toHaveURL(new RegExp(`/tasks/${id}/result`));
});

test("a task is cancelled, resumed and restarted, each after a question", async ({ page, service }) => {
  const { id } = await startTask(service, { ...LONG, task_name: "stopped and resumed" });
  await page.goto(`/tasks/${id}`);
  const heading = page.getByRole("heading", { level: 1 });
  const dialog = page.getByRole("dialog");
  await expect(heading).toHaveText(state("Running"), { timeout: 60_000 });
  await page.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Keep it as it is" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Cancel the task" }).click();
  await expect(heading).toHaveText(state("Cancelled"), { timeout: 60_000 });

  await page.getByRole("button", { name: "Resume" }).click();
  await dialog.getByRole("button", { name: "Resume" }).click();
  await expect(heading).toHaveText(state("Running"), { timeout: 60_000 });
  await service.post(`/api/tasks/${id}/cancel`);
  await expect(heading).toHaveText(state("Cancelled"), { timeout: 60_000 });

  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Restart …" }).click();
  await dialog.getByRole("button", { name: "Restart" }).click();
  await expect(page).not.toHaveURL(new RegExp(id));
  const fresh = page.url().slice(-8);
  await reached(service, fresh, "running");
  await service.post(`/api/tasks/${fresh}/cancel`);
  await expect(heading).toHaveText(state("Cancelled"), { timeout: 60_000 });
});
