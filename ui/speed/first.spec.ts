import { gzipSync } from "node:zlib";
import { figure, median } from "./figure";
import { test } from "./speed";

const VISITS = 7;

test("the first visit", async ({ browser, page, login, server }) => {
  const scripts: Promise<Buffer>[] = [];
  page.on("response", (answer) => {
    if (answer.request().resourceType() === "script") scripts.push(answer.body());
  });
  await page.goto("/");
  await page.getByRole("textbox", { name: "Message to the assistant" }).waitFor();
  await page.waitForLoadState("networkidle");
  const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  figure(`compressed script of the first page, ${scripts.length} files`, bytes / 1000, 450, "kB");

  const paints: number[] = [];
  for (let visit = 0; visit < VISITS; visit++) {
    const context = await browser.newContext({ baseURL: server.url, storageState: login });
    const fresh = await context.newPage();
    await fresh.goto("/");
    await fresh.getByRole("textbox", { name: "Message to the assistant" }).waitFor();
    paints.push(
      await fresh.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN),
    );
    await context.close();
  }
  figure(`first contentful paint, median of ${VISITS} fresh visits`, median(paints) / 1000, 0.8, "s");
});
