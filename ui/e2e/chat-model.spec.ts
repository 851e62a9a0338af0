import { approval, composer, over, say, test, thread } from "./chat";
import { expect, watch } from "./fixtures";
import { python } from "./python";

// A language model that says what stands here, word by word.

const SAVE = (name: string) => ({
  tool: "save_preset",
  args: { name, task: { parameters: { "max-num-seqs": [4, 16] } } },
});
const LONG = Array.from({ length: 400 }, (_, place) => `word${place}`).join(" ");

/** In the page: its event streams break, as those of a lost connection, when it is told to. */
function breakable(): void {
  const plain = window.fetch;
  window.fetch = async (input, init) => {
    const answer = await plain(input, init);
    if (typeof input !== "string" || !input.endsWith("/events") || answer.body === null) return answer;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) =>
        addEventListener("break-streams", () => controller.error(new TypeError("network error")), {
          once: true,
        }),
    });
    void answer.body.pipeTo(writable).catch(() => undefined);
    return new Response(readable, { status: answer.status, headers: answer.headers });
  };
}

test("says who answers and what it used", async ({ page, model }) => {
  model.script({ text: "Four words are said." });
  await page.goto("/");
  await say(page, "Speak");
  await over(page);
  const end = page.getByRole("group", { name: "End of the turn" });
  await expect(end).toContainText("scripted");
  await expect(end).toContainText("1.2K in, 4 out");
  await expect(page.getByRole("button", { name: "Model: scripted" })).toBeVisible();
  await expect(page.getByRole("main").getByTitle("1,200 tokens read, 4 written").first()).toBeVisible();
});

test("a reload in the middle of a turn loses nothing, and a second tab shows the same", async ({
  page,
  context,
  model,
  server,
}) => {
  model.script({ text: `# Title\n\n${LONG} **end**`, holdAfter: 200 });
  await page.goto("/");
  await say(page, "Speak at length");
  await expect(thread(page)).toContainText("word150");
  await composer(page).fill("a draft that is not sent");
  await page.reload();
  await expect(thread(page)).toContainText("word150");
  await expect(thread(page)).not.toContainText("word399");
  await expect(composer(page)).toHaveValue("a draft that is not sent");
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();

  const other = await context.newPage();
  const said = watch(other, server.url);
  await other.goto(page.url());
  await expect(thread(other)).toContainText("word150");
  model.release();
  for (const one of [page, other]) {
    await over(one);
    await expect(thread(one).getByText("end", { exact: true })).toBeVisible();
    await expect(thread(one).getByRole("article", { name: "You said" })).toHaveCount(1);
    const text = await thread(one).getByRole("article", { name: "The assistant said" }).innerText();
    expect(text.replaceAll(/\s+/g, " ").trim()).toBe(`Title ${LONG} end`);
  }
  expect(said()).toEqual([]);
  await other.close();
});

test("a connection that breaks is taken up again where it broke", async ({ page, model }) => {
  await page.addInitScript(breakable);
  const asked: (string | undefined)[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/events")) asked.push(request.headers()["last-event-id"]);
  });
  model.script({ text: LONG, holdAfter: 100 });
  await page.goto("/");
  await say(page, "Speak");
  await expect(thread(page)).toContainText("word90");
  await page.evaluate(() => dispatchEvent(new Event("break-streams")));
  model.release();
  await over(page);
  const text = await thread(page).getByRole("article", { name: "The assistant said" }).innerText();
  expect(text.replaceAll(/\s+/g, " ").trim()).toBe(LONG);
  expect(asked[0]).toBeUndefined();
  expect(asked.slice(1)).toEqual([expect.stringMatching(/^[0-9a-z-]+:\d+/)]);
});

test("a turn is stopped in the middle; what was said stays, and it can be asked again", async ({
  page,
  model,
}) => {
  model.script({ text: LONG, holdAfter: 50 });
  await page.goto("/");
  await say(page, "Speak");
  await expect(thread(page)).toContainText("word40");
  await composer(page).fill("and then");
  await composer(page).press("Enter");
  await expect(page.getByText("The assistant still works: stop it, or wait, to send.")).toBeVisible();
  await expect(composer(page)).toHaveValue("and then");
  await page.getByRole("button", { name: "Stop" }).click();
  await over(page);
  await expect(page.getByText("Stopped", { exact: true })).toBeVisible();
  await expect(thread(page)).toContainText("word40");
  model.release();
  model.script({ text: "Shorter." });
  await page.getByRole("button", { name: "Ask again" }).click();
  await expect(thread(page)).toContainText("Shorter.");
  await expect(thread(page)).not.toContainText("word40");
});

test.describe("what is refused", () => {
  test.use({ allowed: [/ 422 /] });
  test("several calls wait at once, each is decided by itself, and then the turn goes on", async ({
    page,
    model,
    service,
  }) => {
    model.script(
      { text: "Three.", calls: [SAVE("first"), SAVE("second"), SAVE("third")] },
      { text: "All decided." },
    );
    await page.goto("/");
    await say(page, "Save three");
    const cards = approval(page, "save_preset");
    await expect(cards).toHaveCount(3);
    await expect(page.getByText("3 calls wait for your decision")).toBeVisible();
    const card = (name: string) => cards.filter({ hasText: `"${name}"` });
    await card("first").getByRole("button", { name: "Approve", exact: true }).click();
    await expect(cards).toHaveCount(2);
    await expect(page.getByRole("region", { name: "save_preset: Approved" })).toBeVisible();
    await card("third").getByRole("button", { name: "Reject…" }).click();
    await card("third").getByRole("button", { name: "Reject", exact: true }).click();
    await expect(cards).toHaveCount(1);
    await page.reload();
    await expect(cards).toHaveCount(1);

    await card("second").getByRole("button", { name: "Edit…" }).click();
    await cards.getByRole("textbox", { name: "name" }).fill("../up");
    await expect(cards.getByRole("textbox", { name: "name" })).toBeInViewport();
    await cards.getByRole("textbox", { name: "task" }).fill("{");
    await cards.getByRole("button", { name: "Approve as edited" }).click();
    await expect(cards).toContainText("This is no valid JSON.");
    await cards.getByRole("textbox", { name: "task" }).fill('{"parameters": {"max-num-seqs": [8]}}');
    await cards.getByRole("button", { name: "Approve as edited" }).click();
    await expect(cards).toContainText("'../up' is no name for a preset");
    await cards.getByRole("textbox", { name: "name" }).fill("edited");
    await cards.getByRole("switch", { name: "replace" }).click();
    await cards.getByRole("button", { name: "Approve as edited" }).click();
    await expect(thread(page)).toContainText("All decided.");
    await over(page);
    const presets = (await (await service.get("/api/presets")).json()) as {
      name: string;
      built_in: boolean;
    }[];
    const own = presets.filter((one) => !one.built_in).map((one) => one.name);
    expect(own.sort()).toEqual(["edited", "first"]);
  });
});

test("what others plant in texts, names and answers does nothing", async ({ page, model, server }) => {
  const planted = [
    "<script>document.title = 'planted'</script>",
    '<img src="x" onerror="document.title = \'planted\'">',
    "[click](javascript:document.title='planted')",
    "[data](data:text/html,<script>1</script>)",
    "![spy](https://example.org/spy.png?who)",
    "![spy](//example.org/spy.png)",
    '<iframe src="https://example.org"></iframe>',
    "<style>body{display:none}</style>",
    "[fine](https://example.org/fine)",
    "```html\n<script>document.title = 'planted'</script>\n```",
  ].join("\n\n");
  const name = "<img src=x onerror=document.title='planted'> [x](javascript:1)";
  const task = {
    task_name: name,
    base_runtime: "simulated",
    model: "demo",
    parameters: { "max-num-seqs": [4, 8] },
  };
  model.script(
    { text: planted, calls: [{ tool: "create_task", args: { task } }] },
    { text: `It is ${name}.\n\nThe end.`, calls: [{ tool: "list_tasks", args: {} }] },
    { text: "Done." },
  );
  await page.goto("/");
  await say(page, planted);
  await expect(thread(page)).toContainText("Done.");
  await over(page);
  for (const call of ["create_task", "list_tasks"])
    await page.getByRole("button", { name: new RegExp(call) }).click();
  await expect(page.getByRole("region", { name: "Result" }).first()).toContainText("onerror");

  const log = thread(page);
  expect(await log.locator("script, iframe, style, object, embed").count()).toBe(0);
  const pictures = await log
    .locator("img")
    .evaluateAll((all) => all.map((one) => (one as HTMLImageElement).src));
  expect(pictures.filter((src) => !src.startsWith(server.url))).toEqual([]);
  const links = await log.locator("a").evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? ""));
  expect(links).toContain("https://example.org/fine");
  expect(links.filter((href) => !/^(https?:|mailto:|\/|#)/.test(href))).toEqual([]);
  expect(await log.locator("[onerror], [onclick], [onload]").count()).toBe(0);
  await expect(page).toHaveTitle(/· Autotuner$/);
});

test("a task's planted name does nothing where it is asked about and followed", async ({
  page,
  model,
  service,
}) => {
  const task = {
    task_name: "<img src=x onerror=alert(1)> [x](javascript:alert(1))",
    base_runtime: "simulated",
    model: "demo",
    parameters: { "max-num-seqs": [4, 8] },
  };
  const made = (await (await service.post("/api/tasks", { data: task })).json()) as { id: string };
  model.script(
    { text: "I start it.", calls: [{ tool: "start_task", args: { task: made.id } }] },
    { text: "Started." },
  );
  await page.goto("/");
  await say(page, "Start it");
  const card = approval(page, "start_task");
  await expect(card.getByRole("link", { name: task.task_name })).toHaveAttribute("href", `/tasks/${made.id}`);
  await card.getByRole("button", { name: "Approve", exact: true }).click();
  const live = page.getByRole("region", { name: `Task ${task.task_name}` });
  await expect(live).toBeVisible();
  expect(await live.locator("img, a[href^='javascript']").count()).toBe(0);
  await service.post(`/api/tasks/${made.id}/cancel`);
  await expect(live).toContainText("Cancelled");
});

test("a failed turn says why, with a way out", async ({ page, model }) => {
  model.script();
  await page.goto("/");
  await say(page, "Speak");
  await expect(page.getByRole("alert")).toContainText("The turn failed");
  model.script({ text: "Now it works." });
  await page.getByRole("button", { name: "Ask again" }).click();
  await expect(thread(page)).toContainText("Now it works.");
});

test("a thousand messages are there, and few of them are drawn", async ({ page, server }) => {
  await page.goto(`/chat/${python("chat-seed.py", server.home, 500)}`);
  await expect(thread(page).getByText("Answer 500.", { exact: true })).toBeVisible();
  expect(await thread(page).getByRole("article").count()).toBeLessThan(60);
  const gap = () => thread(page).evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop);
  expect(await gap()).toBeLessThan(2);
  await thread(page).focus();
  await page.keyboard.press("Home");
  await expect(thread(page).getByText("Question 1", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "To the newest" }).click();
  await expect(thread(page).getByText("Answer 500.", { exact: true })).toBeVisible();
  await expect.poll(gap).toBeLessThan(2);
});

test("who reads further up is left there while the answer grows", async ({ page, model }) => {
  const lines = Array.from({ length: 120 }, (_, place) => `Line ${place}.`).join("\n\n");
  model.script({ text: lines, holdAfter: 120 });
  await page.goto("/");
  await say(page, "Speak");
  await expect(thread(page)).toContainText("Line 58.");
  await thread(page).hover();
  await page.mouse.wheel(0, -600);
  await expect(page.getByRole("button", { name: "To the newest" })).toBeVisible();
  const top = await thread(page).evaluate((log) => log.scrollTop);
  model.release();
  await over(page).catch(() => undefined);
  await expect(page.getByText("It is your turn", { exact: true })).toBeAttached();
  expect(await thread(page).evaluate((log) => log.scrollTop)).toBe(top);
});
