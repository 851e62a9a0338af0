import { expect, expectAccessible, expectNoSidewaysScroll, inTheme, test, THEMES, watch } from "./fixtures";

const PLACES = [
  ["Chat", "/"],
  ["Tasks", "/tasks"],
  ["Presets", "/presets"],
  ["Machine", "/machine"],
  ["Policy", "/policy"],
  ["Audit", "/audit"],
] as const;

test("every place of the navigation opens, and is marked", async ({ page }) => {
  await page.goto("/");
  const navigation = page.getByRole("navigation", { name: "Main" });
  for (const [name, path] of PLACES.toReversed()) {
    await navigation.getByRole("link", { name }).click();
    await expect(page).toHaveURL(new RegExp(`${path}$`));
    await expect(navigation.getByRole("link", { name })).toHaveAttribute("aria-current", "page");
  }
});

test("the sidebar says who answers", async ({ page }) => {
  await page.goto("/presets");
  await expect(page.getByRole("button", { name: /Connected\. No language model/ })).toContainText("offline");
});

test("the theme is the system's until one is chosen, and then stays", async ({ page }) => {
  await inTheme(page, "dark");
  await page.goto("/policy");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await ground()).toBe("rgb(16, 17, 20)");
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Light" }).click();
  expect(await ground()).toBe("rgb(251, 251, 252)");
  await page.reload();
  expect(await ground()).toBe("rgb(251, 251, 252)");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});

test("the palette goes anywhere by keyboard alone", async ({ page }) => {
  await page.goto("/policy");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("mach");
  await expect(page.getByRole("option", { name: "Machine" })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/machine$/);
  await expect(page.getByRole("combobox")).toHaveCount(0);
});

test("an address that nothing has says so, with ways out", async ({ page }) => {
  await page.goto("/no/such/page");
  await expect(page.getByText("There is nothing at this address")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "To the chat" }).click();
  await expect(page).toHaveURL(/\/$/);
});

for (const theme of THEMES) {
  test(`frame, palette and menu are accessible in the ${theme} theme`, async ({ page }) => {
    await inTheme(page, theme);
    await page.goto("/no/such/page");
    await expect(page.getByText("There is nothing at this address")).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("option").first()).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Theme" }).click();
    await expect(page.getByRole("menu")).toBeVisible();
    await expectAccessible(page);
  });
}

test.describe("on a telephone", () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test("the navigation is at the bottom, with the rest behind More", async ({ page }) => {
    await page.goto("/no/such/page");
    await expect(page.getByText("There is nothing at this address")).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Audit" }).click();
    await expect(page).toHaveURL(/\/audit$/);
  });
});

test("a service that stops is missed, and found again; a new one wants a new login", async ({
  browser,
  serve,
}) => {
  test.slow();
  const token = "a-token-that-stays-the-same";
  const first = await serve({ env: { AUTOTUNER_TOKEN: token } });
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  const said = watch(page, first.url);
  await page.goto(await first.link());
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Presets" }).click();
  const port = Number(new URL(first.url).port);
  await first.stop();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Machine" }).click();
  await expect(page.getByText("The service does not answer. Trying again")).toBeVisible();

  const second = await serve({ port, env: { AUTOTUNER_TOKEN: token } });
  await expect(page.getByText("The service does not answer. Trying again")).toBeHidden({ timeout: 30_000 });
  await expect(page).toHaveURL(/\/machine$/);
  await second.stop();

  const third = await serve({ port });
  await page.keyboard.press("Control+k");
  await expect(page.getByText("Autotuner is locked")).toBeVisible({ timeout: 30_000 });
  await expectAccessible(page);
  await page.goto(await third.link());
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  await context.close();
  const unexpected = said().filter((line) => !/Failed to load resource/.test(line));
  expect(unexpected).toEqual([]);
});
