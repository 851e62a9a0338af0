import { expect, type Locator, type Page } from "@playwright/test";
import { type Model, startModel } from "./chat-model";
import { test as base } from "./fixtures";

/** The settings of a service whose assistant is this model. */
export const modelSettings = ({ url }: Model) => ({
  AUTOTUNER_LLM_MODEL: "scripted",
  AUTOTUNER_LLM_BASE_URL: url,
  AUTOTUNER_LLM_API_KEY: "none",
});

/** On a service whose assistant is the model that the test writes the lines of. */
export const test = base.extend<object, { model: Model }>({
  model: [
    async ({}, use) => {
      const model = await startModel();
      await use(model);
      await model.close();
    },
    { scope: "worker" },
  ],
  settings: [({ model }, use) => use(modelSettings(model)), { scope: "worker" }],
});

export const composer = (page: Page): Locator =>
  page.getByRole("textbox", { name: "Message to the assistant" });
export const thread = (page: Page): Locator => page.getByRole("log", { name: "Conversation" });
export const approval = (page: Page, tool: string): Locator =>
  page.getByRole("region", { name: `${tool} waits for approval` });

export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press("Enter");
  await expect(thread(page).getByRole("article", { name: "You said" }).last()).toContainText(text);
}

/** The turn is over, and it is the user's. */
export async function over(page: Page): Promise<void> {
  await expect(page.getByText("It is your turn", { exact: true })).toBeAttached();
  await expect(page.getByRole("group", { name: "End of the turn" }).last()).toBeVisible();
}

/** Presses Tab until something has the focus, as somebody without a mouse. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("60 presses of Tab did not get there.");
}
