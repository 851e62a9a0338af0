import { readFile } from "node:fs/promises";
import { expect, test } from "./fixtures";
import { type Seeded, seed } from "./result-seed";

let ids: Seeded;
test.beforeAll(({ server }) => void (ids = seed(server.home)));

test("everything can be exported: files that are what they say, texts to copy", async ({
  page,
  context,
  service,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`/tasks/${ids.proven}/result`);
  await page.getByRole("button", { name: "Export" }).click();
  const dialog = page.getByRole("dialog", { name: "Export" });
  const begins: Record<string, [ending: string, begin: RegExp]> = {
    Command: ["sh", /^(\w+=\S+ )*vllm serve /],
    "Compose file": ["yaml", /services:/],
    "Kubernetes manifest": ["yaml", /kind: Deployment/],
    "Task file": ["yaml", /^task_name: /],
    "HTML report": ["html", /^<!doctype html>/i],
    "Excel workbook": ["xlsx", /^PK/],
    CSV: ["csv", /experiment/],
    JSON: ["json", /^{/],
    "Text table": ["txt", /proven/i],
  };
  for (const [name, [ending, begin]] of Object.entries(begins)) {
    const saving = page.waitForEvent("download");
    await dialog.getByRole("button", { name: `Download ${name}`, exact: true }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toMatch(new RegExp(`^chat-8B-on-H100\\.${ending}$`));
    expect((await readFile(await saved.path())).toString("utf8")).toMatch(begin);
  }
  await dialog.getByRole("button", { name: "Copy Command" }).click();
  await expect(dialog.getByText("Copied")).toBeAttached();
  const command = await (await service.get(`/api/tasks/${ids.proven}/export?kind=command`)).text();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command);
});

test("where nothing has won there is no command to take", async ({ page }) => {
  await page.goto(`/tasks/${ids.infeasible}/result`);
  await page.getByRole("button", { name: "Export" }).click();
  await expect(page.getByRole("button", { name: "Download Task file" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Download Command" })).toHaveCount(0);
  await expect(page.getByText("has no configuration to export").first()).toBeVisible();
});
