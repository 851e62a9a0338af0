import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "./fixtures";

const PRESET = `name: our-chat
description: What our chat needs.
engine: vllm
task:
  benchmark:
    num_concurrency: [1, 8, 32]
`;
const yaml = { "Content-Type": "application/yaml" };

test.describe("presets", () => {
  test.beforeEach(async ({ service }) => {
    for (const name of ["our-chat", "our-chat-copy", "my-preset", "first", "second"])
      await service.delete(`/api/presets/${name}`);
  });

  test("one is written, with what is wrong at its line, then changed and deleted", async ({
    page,
    service,
  }) => {
    await page.goto("/presets");
    await page.getByRole("button", { name: "New preset" }).click();
    const editor = page.getByRole("textbox", { name: "New preset" });
    await editor.fill("name: my-preset\ntask:\n  benchmark: {num_concurrency: [1, 2\n");
    await expect(page.getByText(/^Line \d+: /)).toBeVisible();
    await expect(page.getByRole("button", { name: "Save" })).toBeDisabled();
    await editor.fill("name: my-preset\ntask:\n  benchmark: {num_concurrency: [1, 2]}\n");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("region", { name: "my-preset" })).toContainText("num_concurrency: [1, 2]");
    await expect(page).toHaveURL("/presets?name=my-preset");
    await page.getByRole("button", { name: "Edit" }).click();
    await page
      .getByRole("textbox", { name: "Edit my-preset" })
      .fill("name: my-preset\ndescription: Changed.\ntask: {}\n");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("region", { name: "my-preset" })).toContainText("Changed.");
    expect(await (await service.get("/api/presets/my-preset")).json()).toMatchObject({
      description: "Changed.",
      task: {},
    });
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(page.getByRole("region", { name: "Mine" })).toHaveCount(0);
    expect((await service.get("/api/presets/my-preset")).status()).toBe(404);
  });

  test("built-in ones stay as they are, and can be copied", async ({ page }) => {
    await page.goto("/presets?name=chat-slo");
    const shown = page.getByRole("region", { name: "chat-slo" });
    await expect(shown.getByText("built in")).toBeVisible();
    await expect(shown.getByRole("button", { name: "Edit" })).toHaveCount(0);
    await expect(shown.getByRole("button", { name: "Delete" })).toHaveCount(0);
    await page.goto("/presets?name=chat-slo&edit=");
    await expect(shown).toBeVisible();
    await shown.getByRole("button", { name: "Copy to a new preset" }).click();
    await expect(page.getByRole("textbox", { name: "New preset" })).toContainText("chat-slo-copy");
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page).toHaveURL("/presets?name=chat-slo");
  });

  test("files are imported, asked about before one is written over, and exported", async ({
    page,
    service,
  }, info) => {
    await service.post("/api/presets", { headers: yaml, data: PRESET });
    const file = info.outputPath("presets.yaml");
    await writeFile(file, "presets:\n- {name: first, task: {}}\n- {name: second, task: {}}\n");
    await page.goto("/presets");
    const bring = async (path: string) => {
      await page.getByRole("button", { name: "More", exact: true }).click();
      const choosing = page.waitForEvent("filechooser");
      await page.getByRole("menuitem", { name: "Import files …" }).click();
      await (await choosing).setFiles(path);
    };
    await bring(file);
    await expect(page.getByRole("dialog", { name: "2 presets imported" })).toContainText("first, second");
    await page.getByRole("button", { name: "Done" }).click();
    await expect(page.getByRole("region", { name: "Mine" }).getByRole("button")).toHaveCount(3);
    await page.getByRole("button", { name: "More", exact: true }).click();
    const saving = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "Export all of mine" }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe("presets.yaml");
    expect(await readFile(await saved.path(), "utf8")).toMatch(/name: our-chat/);
  });
});

test.describe("presets that are refused", () => {
  // The browser itself writes a line for each.
  test.use({ allowed: [/4(09|22|04)/] });

  test("what the service says stands at the line it is about", async ({ page }) => {
    await page.goto("/presets?new=");
    await page
      .getByRole("textbox", { name: "New preset" })
      .fill("name: broken\ntask:\n  base_runtime: vllm\n  benchmrk: {}\n");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toContainText("benchmrk");
    await expect(page.locator(".cm-lintRange-error, .cm-lint-marker-error").first()).toBeVisible();
  });

  test("one that is there is written over only when that is said", async ({ page, service }, info) => {
    await service.delete("/api/presets/our-chat");
    await service.post("/api/presets", { headers: yaml, data: PRESET });
    const file = info.outputPath("our-chat.yaml");
    await writeFile(file, PRESET.replace("What our chat needs.", "Another one."));
    await page.goto("/presets?name=our-chat");
    await page.getByRole("button", { name: "More", exact: true }).click();
    const choosing = page.waitForEvent("filechooser");
    await page.getByRole("menuitem", { name: "Import files …" }).click();
    await (await choosing).setFiles(file);
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByRole("alert")).toContainText("our-chat");
    await expect(page.getByText("What our chat needs.").first()).toBeAttached();
    await dialog.getByRole("button", { name: "Write over those that are there" }).click();
    await expect(page.getByRole("dialog", { name: "1 preset imported" })).toBeVisible();
    await expect(page.getByText("Another one.").first()).toBeAttached();
  });

  test("several are laid over each other in their order, if they are for one engine", async ({
    page,
    service,
  }) => {
    await service.put("/api/presets/our-chat", { headers: yaml, data: PRESET });
    await page.goto("/presets");
    await page.getByRole("button", { name: "Merge" }).click();
    const dialog = page.getByRole("dialog", { name: "Merge presets" });
    for (const name of ["our-chat", "chat-slo"]) await dialog.getByLabel("Add a preset").selectOption(name);
    const merged = dialog.getByRole("region", { name: "The part of a task they make" });
    await expect(merged).toContainText("num_concurrency: [1, 4, 16, 64]");
    await dialog.getByRole("button", { name: "Move chat-slo up" }).click();
    await expect(merged).toContainText("num_concurrency: [1, 8, 32]");
    await expect(merged).toContainText("base_runtime: vllm");
    await dialog.getByLabel("Add a preset").selectOption("sglang-latency");
    await expect(dialog.getByRole("alert")).toContainText("sglang");
  });

  test("one that is not there says so", async ({ page }) => {
    await page.goto("/presets?name=nobody");
    await expect(page.getByText("There is no preset “nobody”")).toBeVisible();
  });
});
