import type { Page } from "@playwright/test";
import {
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  inTheme,
  NO_TAKEOVER,
  test as base,
  THEMES,
} from "./fixtures";
import { type Seeded, seed } from "./result-seed";
import { createTask, QUICK, say } from "./seed";
import { seedTasks } from "./tasks-seed";

type Places = Record<string, string>;

/** A service with something on every page. */
const test = base.extend<object, { seeded: { results: Seeded; running: string } }>({
  seeded: [
    async ({ server }, use) => {
      const results = seed(server.home);
      await use({ results, running: seedTasks(server.home, 30) });
    },
    { scope: "worker", timeout: 60_000 },
  ],
});
// What is not there is asked for, and the browser itself says so.
test.use({ ...NO_TAKEOVER, allowed: [/404 \(Not Found\)/] });
test.slow();

let places: Places;
test.beforeAll(async ({ playwright, server, seeded }) => {
  const { results, running } = seeded;
  const service = await playwright.request.newContext({
    baseURL: server.url,
    extraHTTPHeaders: { Authorization: `Bearer ${server.token}` },
  });
  const draft = await createTask(service, { ...QUICK, task_name: "a draft" });
  const talked = await say(service, "list tasks");
  const asked = await say(service, `start ${draft.id}`);
  await service.dispose();
  places = {
    "the chat": "/",
    "a conversation": `/chat/${talked}`,
    "an approval": `/chat/${asked}`,
    "the tasks": "/tasks",
    "tasks that are not there": "/tasks?q=nothing+is+called+this",
    "a new task": "/tasks/new",
    "a draft that is changed": `/tasks/${draft.id}/edit`,
    "a draft": `/tasks/${draft.id}`,
    "a task that runs": `/tasks/${running}`,
    "a task that ended": `/tasks/${results.proven}`,
    "no such task": "/tasks/ffffffff",
    "a result": `/tasks/${results.gpus}/result`,
    "a result of two objectives": `/tasks/${results.objectives}/result`,
    "a result without a winner": `/tasks/${results.failed}/result`,
    "an experiment": `/tasks/${results.proven}/result?experiment=14`,
    "a comparison": `/tasks/${results.gpus}/result?compare=3,7&side-by-side=yes`,
    "the presets": "/presets",
    "a preset": "/presets?name=chat-slo",
    "a new preset": "/presets?new=",
    "the machine": "/machine",
    "the policy": "/policy",
    "the audit log": "/audit",
    notFound: "/no/such/page",
  };
});

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.locator("#main")).toBeVisible();
  await expect(page.locator("#main h1, [role=dialog] h2, #main textarea").first()).toBeVisible();
  await expect(page.locator(".skeleton")).toHaveCount(0, { timeout: 30_000 });
}

for (const theme of THEMES) {
  test(`axe finds nothing serious on any page in the ${theme} theme`, async ({ page }) => {
    test.setTimeout(300_000);
    await inTheme(page, theme);
    for (const [name, path] of Object.entries(places)) {
      await test.step(name, async () => {
        await open(page, path);
        await expectAccessible(page);
      });
    }
  });
}

test("nothing is wider than a telephone, on any page", async ({ page }) => {
  test.setTimeout(300_000);
  await page.setViewportSize({ width: 360, height: 740 });
  for (const [name, path] of Object.entries(places)) {
    await test.step(name, async () => {
      await open(page, path);
      await expectNoSidewaysScroll(page);
      expect(await cut(page), name).toEqual([]);
    });
  }
});

test("every control of every page is reached by Tab, and its focus is seen", async ({ page }) => {
  test.setTimeout(300_000);
  for (const [name, path] of Object.entries(places)) {
    await test.step(name, async () => {
      await open(page, path);
      const seen = new Set<string>();
      for (let step = 0; step < STEPS; step += 1) {
        await page.keyboard.press("Tab");
        const found = await focused(page);
        // After the last control comes the browser's own, and then the first: a page may begin anywhere.
        if (found === null && step < STEPS / 2) continue;
        if (found === null || seen.has(found.id)) break;
        seen.add(found.id);
        expect(found, `${name}: ${found.what}`).toMatchObject({ marked: true, inView: true });
      }
      expect(seen.size, name).toBeGreaterThan(1);
    });
  }
});

/** Enough for the controls of any page; a table is one of them. */
const STEPS = 120;

/** Controls that reach over the edge of the screen and cannot be scrolled to. */
function cut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // What is inside a box of its own is scrolled there, or shortened on purpose.
    const inside = (one: Element | null): boolean =>
      one !== null &&
      one.parentElement?.id !== "main" &&
      (getComputedStyle(one).overflowX !== "visible" || inside(one.parentElement));
    return Array.from(document.querySelectorAll("#main button, #main a, #main input, #main select"))
      .filter((one) => {
        const { right, width } = one.getBoundingClientRect();
        return width > 0 && right > document.documentElement.clientWidth + 0.5 && !inside(one.parentElement);
      })
      .map((one) => one.outerHTML.slice(0, 120));
  });
}

type Focused = { id: string; what: string; marked: boolean; inView: boolean };

/** What has the focus: whether it shows that, and stands in view. Null: nothing has it. */
function focused(page: Page): Promise<Focused | null> {
  return page.evaluate(() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    one.setAttribute("data-walked", one.getAttribute("data-walked") ?? String(Math.random()));
    const box = one.getBoundingClientRect();
    // A field of several parts shows it on the whole of it.
    const own = getComputedStyle(one);
    const marked =
      (own.outlineStyle !== "none" && parseFloat(own.outlineWidth) > 0) ||
      one.closest("[class*='focus-within:']") !== null;
    return {
      id: one.getAttribute("data-walked") ?? "",
      what: one.outerHTML.slice(0, 160),
      marked,
      inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
  });
}
