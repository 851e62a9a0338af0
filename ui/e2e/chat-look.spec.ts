import { expect, inTheme, test, THEMES } from "./fixtures";
test("look", async ({ page }) => {
  test.setTimeout(240_000);
  const shot = async (name: string) => {
    for (const [width, height] of [
      [1280, 800],
      [360, 740],
      [2560, 1440],
    ] as const)
      for (const theme of THEMES) {
        await page.setViewportSize({ width, height });
        await inTheme(page, theme);
        await page.waitForTimeout(250);
        await page.screenshot({ path: `/tmp/chatlook/${name}-${theme}-${width}.png` });
      }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  const gap = () => page.getByRole("log").evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
  await page.goto("/");
  await page.getByRole("button", { name: /^All that can/ }).click();
  await expect(page.getByText("Follow and steer")).toBeVisible();
  await page.waitForTimeout(1500);
  console.log("gap", await gap());
  await shot("2help");
  console.log("gap", await gap());
  await page
    .getByLabel("Message to the assistant")
    .fill(
      "tune simulated/8b on simulated for throughput with ttft p90 under 0.5 s over max-num-seqs 4, 16 at concurrency 4 scenario D(128,16) 8 requests confirm 1",
    );
  await page.keyboard.press("Enter");
  await page.waitForTimeout(3000);
  await page.screenshot({ path: `/tmp/chatlook/x.png` });
  await expect(page.getByRole("button", { name: "Approve", exact: true })).toBeVisible();
  await page.waitForTimeout(500);
  await shot("3approval");
  await page.getByRole("button", { name: "Edit…" }).click();
  await shot("4edit");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: /Allow/ }).click();
  await shot("5allow");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(page.getByRole("region", { name: /^Task / })).toBeVisible();
  await page.waitForTimeout(6000);
  await shot("6running");
  await page.waitForTimeout(60000);
  await shot("7later");
});
