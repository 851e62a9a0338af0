import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { approval, composer, modelSettings, over, say, test, thread } from "./chat";
import { expect, watch } from "./fixtures";

// The service ends and comes back while a conversation is open.

const LONG = Array.from({ length: 400 }, (_, place) => `word${place}`).join(" ");

test("a service that is started anew under an open conversation loses nothing of it", async ({
  browser,
  model,
  serve,
}) => {
  test.slow();
  const home = await mkdtemp(join(tmpdir(), "autotuner-restart-"));
  const env = { ...modelSettings(model), AUTOTUNER_TOKEN: "a-token-that-stays-the-same" };
  const lost = { text: "The service does not answer. Trying again" };
  const first = await serve({ home, env });
  const port = Number(new URL(first.url).port);
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  const said = watch(page, first.url);
  await page.goto(await first.link());

  await test.step("in the middle of an answer", async () => {
    model.script({ text: LONG, holdAfter: 50 });
    await say(page, "Speak");
    await expect(thread(page)).toContainText("word40");
    await composer(page).fill("a draft");
    await first.stop();
    await expect(page.getByText(lost.text)).toBeVisible({ timeout: 30_000 });
    model.release();
    const second = await serve({ home, port, env });
    await expect(page.getByText(lost.text)).toBeHidden({ timeout: 30_000 });
    await over(page);
    await expect(thread(page)).toContainText("word40");
    await expect(composer(page)).toHaveValue("a draft");
    await composer(page).fill("");
    model.script({ text: "It goes on." });
    await page.getByRole("button", { name: "Ask again" }).click();
    await expect(thread(page)).toContainText("It goes on.");
    await expect(thread(page)).not.toContainText("word40");
    await expect(thread(page).getByRole("article", { name: "You said" })).toHaveCount(1);

    const preset = { name: "kept", task: { parameters: { "max-num-seqs": [4] } } };
    model.script({ text: "I keep it.", calls: [{ tool: "save_preset", args: preset }] }, { text: "Kept." });
    await say(page, "Keep it");
    await expect(approval(page, "save_preset")).toBeVisible();
    await second.stop();
  });

  await test.step("while a call waits, with another token", async () => {
    const third = await serve({ home, port, env: { ...env, AUTOTUNER_TOKEN: "another-token-than-before" } });
    await expect(page.getByText("Autotuner is locked")).toBeVisible({ timeout: 30_000 });
    const conversation = page.url();
    expect(conversation).toMatch(/\/chat\/[0-9a-f]{32}$/);
    const other = await context.newPage();
    await other.goto(await third.link());
    await other.close();
    await page.getByRole("button", { name: "I have logged in" }).click();
    await expect(page).toHaveURL(conversation);
    await approval(page, "save_preset").getByRole("button", { name: "Approve", exact: true }).click();
    await expect(thread(page)).toContainText("Kept.");
    await over(page);
    await third.stop();
  });

  await context.close();
  await rm(home, { recursive: true, force: true });
  expect(said().filter((line) => !/Failed to load resource/.test(line))).toEqual([]);
});
