import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, inTheme, NO_TAKEOVER, test, THEMES } from "./fixtures";
import { seed as seedResults } from "./result-seed";
import { createTask, FAILING, LONG, QUICK, reached, say, startTask } from "./seed";
import { seedTasks } from "./tasks-seed";

// Not a test of anything: `npm run shots` makes pictures of every page, to be looked at. SHOTS=tasks,result: of some.
const WANTED = process.env.SHOTS?.split(",");
const FOLDER = fileURLToPath(new URL("../shots", import.meta.url));
const SIZES = [
  { width: 360, height: 740 },
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
];
const LONGEST = 6000;

test.use(NO_TAKEOVER);

test("every page in both themes and three sizes", async ({ browser, login, server, service }) => {
  await mkdir(FOLDER, { recursive: true });
  const results = seedResults(server.home);
  const followed = seedTasks(server.home, 40);
  const draft = await createTask(service, { ...QUICK, task_name: "a draft, not started" });
  const done = await startTask(service, QUICK);
  await reached(service, done.id, "completed");
  const failing = await startTask(service, FAILING);
  await reached(service, failing.id, "completed");
  const running = await startTask(service, LONG);
  await reached(service, running.id, "running");
  const talked = await say(service, "list tasks");
  const asked = await say(service, `start ${done.id}`);

  const pages: Record<string, string> = {
    chat: "/",
    conversation: `/chat/${talked}`,
    approval: `/chat/${asked}`,
    tasks: "/tasks",
    "tasks-none": "/tasks?q=nothing+is+called+this",
    "new-task": "/tasks/new",
    "edit-task": `/tasks/${draft.id}/edit`,
    "task-draft": `/tasks/${draft.id}`,
    "task-running": `/tasks/${running.id}`,
    "task-followed": `/tasks/${followed}`,
    "task-done": `/tasks/${done.id}`,
    "task-not-found": "/tasks/ffffffff",
    result: `/tasks/${done.id}/result`,
    "result-failures": `/tasks/${failing.id}/result`,
    "result-proven": `/tasks/${results.proven}/result`,
    "result-gpus": `/tasks/${results.gpus}/result`,
    "result-scenarios": `/tasks/${results.scenarios}/result`,
    "result-objectives": `/tasks/${results.objectives}/result`,
    "result-infeasible": `/tasks/${results.infeasible}/result`,
    "result-failed": `/tasks/${results.failed}/result`,
    "result-many": `/tasks/${results.many}/result`,
    "result-running": `/tasks/${running.id}/result`,
    experiment: `/tasks/${results.proven}/result?experiment=14`,
    comparison: `/tasks/${results.gpus}/result?compare=3,7,12,14&side-by-side=yes`,
    "take-away": `/tasks/${results.proven}/result`,
    presets: "/presets",
    preset: "/presets?name=chat-slo",
    "new-preset": "/presets?new=",
    machine: "/machine",
    policy: "/policy",
    audit: "/audit",
    notFound: "/no/such/page",
  };
  /** What is opened on a page first. */
  const opened: Record<string, (page: Page) => Promise<void>> = {
    "take-away": (page) => page.getByRole("button", { name: "Export" }).click(),
  };
  for (const theme of THEMES) {
    for (const viewport of SIZES) {
      const context = await browser.newContext({ baseURL: server.url, storageState: login, viewport });
      const page = await context.newPage();
      await inTheme(page, theme);
      for (const [name, path] of Object.entries(pages)) {
        if (WANTED && !WANTED.includes(name)) continue;
        await page.goto(path);
        await expect(page.locator("#main")).toBeVisible();
        await settled(page);
        await opened[name]?.(page);
        await page.screenshot({ path: `${FOLDER}/${name}-${theme}-${viewport.width}.png` });
        const hidden = await page
          .locator("main > div")
          .first()
          .evaluate((one) => one.scrollHeight - one.clientHeight);
        if (hidden <= 0 || opened[name]) continue;
        await page.setViewportSize({ ...viewport, height: Math.min(LONGEST, viewport.height + hidden) });
        await settled(page);
        await page.screenshot({ path: `${FOLDER}/${name}-${theme}-${viewport.width}-whole.png` });
        await page.setViewportSize(viewport);
      }
      await context.close();
    }
  }
  await service.post(`/api/tasks/${running.id}/cancel`);
});

/** Streams never rest; what is waited for is that no skeleton is left, or that it is there to be seen. */
async function settled(page: Page): Promise<void> {
  const come = () => !document.querySelector("main .skeleton");
  await page.waitForFunction(come, undefined, { timeout: 3000 }).catch(() => undefined);
  await page.waitForTimeout(400);
}
