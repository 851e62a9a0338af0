import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, inTheme, test, THEMES } from "./fixtures";
import { createTask, FAILING, LONG, QUICK, reached, say, startTask } from "./seed";

// Not a test of anything: `npm run shots` makes pictures of every page, to be looked at. SHOTS=tasks,result: of some.
const WANTED = process.env.SHOTS?.split(",");
const FOLDER = fileURLToPath(new URL("../shots", import.meta.url));
const SIZES = [
  { width: 360, height: 740 },
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
];

test("every page in both themes and three sizes", async ({ browser, login, server, service }) => {
  await mkdir(FOLDER, { recursive: true });
  await createTask(service, { ...QUICK, task_name: "a draft, not started" });
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
    "new-task": "/tasks/new",
    "edit-task": `/tasks/${done.id}/edit`,
    "task-running": `/tasks/${running.id}`,
    "task-done": `/tasks/${done.id}`,
    result: `/tasks/${done.id}/result`,
    "result-failures": `/tasks/${failing.id}/result`,
    presets: "/presets",
    machine: "/machine",
    policy: "/policy",
    audit: "/audit",
    nowhere: "/no/such/page",
  };
  for (const theme of THEMES) {
    for (const viewport of SIZES) {
      const context = await browser.newContext({ baseURL: server.url, storageState: login, viewport });
      const page = await context.newPage();
      await inTheme(page, theme);
      for (const [name, path] of Object.entries(pages)) {
        if (WANTED && !WANTED.includes(name)) continue;
        await page.goto(path);
        await expect(page.getByRole("main")).toBeVisible();
        // Streams never rest; what is waited for is that no skeleton is left, or that it is there to be seen.
        const come = () => !document.querySelector("main .skeleton");
        await page.waitForFunction(come, undefined, { timeout: 2000 }).catch(() => undefined);
        await page.screenshot({ path: `${FOLDER}/${name}-${theme}-${viewport.width}.png` });
      }
      await context.close();
    }
  }
  await service.post(`/api/tasks/${running.id}/cancel`);
});
