import { modelSettings, over, say, test as base } from "./chat";
import { expect, NO_TAKEOVER } from "./fixtures";
import { seed } from "./result-seed";
import { seedTasks } from "./tasks-seed";

// What strangers plant in texts is text, on every page that shows it; and if it were not, the browser would refuse it.

const test = base.extend({
  settings: [
    ({ model }, use) => use({ ...NO_TAKEOVER.settings, ...modelSettings(model) }),
    { scope: "worker" },
  ],
});

const ACTS = "document.title='planted'";
const PLANTED = [
  `<img src=x onerror="${ACTS}">`,
  `<script>${ACTS}</script>`,
  "<img src=https://example.org/spy.png>",
  "![spy](https://example.org/spy.png)",
  `[go](javascript:${ACTS})`,
].join(" ");
/** Of a task: it holds no slash. */
const NAME = `<img src=x onerror="${ACTS}"> [go](javascript:${ACTS})`;

test("what is planted in names, reasons, logs and answers is shown as text on every page", async ({
  page,
  model,
  server,
  service,
}) => {
  test.slow();
  const results = seed(server.home);
  const running = seedTasks(server.home, 3);
  const named = await service.post("/api/presets", { data: { name: PLANTED, task: {} } });
  expect(named.status()).toBe(422);
  const task = { base_runtime: "simulated", model: "demo", parameters: { "max-num-seqs": [4, 8] } };
  const made = await service.post("/api/tasks", {
    data: { ...task, task_name: NAME, description: PLANTED },
  });
  expect(made.status()).toBe(201);
  const { id: draft } = (await made.json()) as { id: string };
  const preset = { name: "kept", description: PLANTED, task: { parameters: { "max-num-seqs": [4] } } };
  model.script(
    {
      text: PLANTED,
      calls: [
        { tool: "get_task", args: { task: draft } },
        { tool: "save_preset", args: preset },
      ],
    },
    { text: PLANTED },
  );
  await page.goto("/");
  await say(page, PLANTED);
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  await over(page);
  for (const call of ["get_task", "save_preset"])
    await page
      .getByRole("region", { name: `${call}: Done` })
      .getByRole("button")
      .first()
      .click();
  await expect(page.getByRole("region", { name: "get_task: Done" })).toContainText("onerror");

  const asText = async () => {
    await expect(page.getByText(/<(?:img|script)/).first()).toBeVisible();
    expect(
      await page.locator("main :is(iframe, object, embed, base, [onerror], [onload], [onclick])").count(),
    ).toBe(0);
    expect(await page.locator("script:not([src]), main style").count()).toBe(0);
    const all = (selector: string, name: string) =>
      page
        .locator(`main ${selector}[${name}]`)
        .evaluateAll((found, name) => found.map((one) => one.getAttribute(name) ?? ""), name);
    const own = /^(\/(?!\/)|#|blob:)/;
    expect((await all("img", "src")).filter((url) => !own.test(url))).toEqual([]);
    // Another host may be linked to: who goes there does it himself.
    expect((await all("a", "href")).filter((url) => !own.test(url) && !/^https?:/.test(url))).toEqual([]);
    await expect(page).not.toHaveTitle("planted");
  };
  await asText();

  const presets = page.getByText("kept", { exact: true });
  const error = page.getByText(/Not enough memory/).first();
  const places: [string, () => Promise<void>][] = [
    ["/tasks", async () => {}],
    [`/tasks/${draft}`, async () => {}],
    [`/tasks/${draft}/edit`, async () => {}],
    [`/tasks/${running}/result`, async () => {}],
    [
      `/tasks/${running}`,
      async () => {
        await page.getByRole("searchbox", { name: "Search the log" }).fill("request failed");
        await expect(page.getByText(/request failed <img/).first()).toBeVisible();
      },
    ],
    [`/tasks/${results.failed}/result?experiment=1`, () => expect(error).toBeVisible()],
    ["/presets", () => expect(presets.first()).toBeVisible()],
    ["/audit", async () => {}],
  ];
  for (const [path, come] of places) {
    await test.step(path, async () => {
      await page.goto(path);
      await come();
      await asText();
    });
  }
});

test("the policy of every page lets in nothing but the service's own", async ({ page }) => {
  const answer = await page.goto("/tasks");
  const policy = (await answer?.headerValue("content-security-policy")) ?? "";
  const sources = new Map(
    policy
      .split("; ")
      .map((one): [string, string] => [one.split(" ", 1)[0] ?? "", one.slice(one.indexOf(" ") + 1)]),
  );
  for (const closed of ["default-src", "base-uri", "form-action", "frame-ancestors"])
    expect(sources.get(closed), closed).toBe("'none'");
  for (const own of ["script-src", "connect-src", "font-src"]) expect(sources.get(own), own).toBe("'self'");
  expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
});

test.describe("what would act if it came through", () => {
  test.use({ allowed: [/Content Security Policy|^asked: https:\/\/example\.org/] });

  test("is refused by the browser", async ({ page }) => {
    const asked: string[] = [];
    await page.route("https://example.org/**", (route) => {
      asked.push(route.request().url());
      return route.abort();
    });
    await page.goto("/tasks");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const refused = await page.evaluate(async (acts) => {
      const found: string[] = [];
      document.addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = acts;
      const far = document.createElement("script");
      far.src = "https://example.org/far.js";
      const frame = document.createElement("iframe");
      frame.src = "https://example.org/";
      const holder = document.createElement("div");
      holder.innerHTML = `<img src="data:," onerror="${acts}"><img src="https://example.org/spy.png"><a href="javascript:${acts}">go</a>`;
      document.body.append(script, far, frame, holder);
      holder.querySelector("a")?.click();
      await fetch("https://example.org/tell").catch(() => undefined);
      await new Promise<void>((resolve) => {
        const look = () => (new Set(found).size >= 5 ? resolve() : setTimeout(look, 20));
        look();
      });
      return [...new Set(found)].sort();
    }, ACTS);
    expect(refused).toEqual(["connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem"]);
    expect(asked).toEqual([]);
    await expect(page).not.toHaveTitle("planted");
  });
});
