import AxeBuilder from "@axe-core/playwright";
import {
  type APIRequestContext,
  type BrowserContextOptions,
  expect,
  type Page,
  test as base,
} from "@playwright/test";
import { type Server, startServer } from "./server";

export { expect };
export type { Server };

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

type State = Exclude<BrowserContextOptions["storageState"], string | undefined>;

type OfWorker = {
  /** Settings of the service: `AUTOTUNER_LEASE_S`, …. */
  settings: Record<string, string>;
  server: Server;
  login: State;
};
type OfTest = {
  /** What the console may say in this test, as the line a browser writes for a 404 that is expected. */
  allowed: RegExp[];
  /** Starts further services, and stops them with the test. */
  serve: typeof startServer;
  /** Asks the service as a program would, to prepare and to check. */
  service: APIRequestContext;
};

/**
 * Tests in a real browser on a real service: `page` is logged in, and the test fails on any error or warning in the
 * console, and on any request to another host.
 */
export const test = base.extend<OfTest, OfWorker>({
  settings: [{}, { option: true, scope: "worker" }],
  server: [
    async ({ settings }, use) => {
      const server = await startServer({ env: settings });
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  login: [
    async ({ browser, server }, use) => {
      const page = await browser.newPage();
      await page.goto(await server.link());
      await expect(page).toHaveURL(`${server.url}/`);
      await use(await page.context().storageState());
      await page.context().close();
    },
    { scope: "worker" },
  ],
  baseURL: ({ server }, use) => use(server.url),
  storageState: ({ login }, use) => use(login),
  allowed: [[], { option: true }],
  service: async ({ playwright, server }, use) => {
    const context = await playwright.request.newContext({
      baseURL: server.url,
      extraHTTPHeaders: { Authorization: `Bearer ${server.token}` },
    });
    await use(context);
    await context.dispose();
  },
  serve: async ({}, use) => {
    const started: Server[] = [];
    await use(async (options) => {
      const server = await startServer(options);
      started.push(server);
      return server;
    });
    for (const server of started) await server.stop();
  },
  page: async ({ page, server, allowed }, use) => {
    const said = watch(page, server.url);
    await use(page);
    expect(said().filter((line) => !allowed.some((one) => one.test(line)))).toEqual([]);
  },
});

/** A task that seems to run, and is nobody's, is not taken over. */
export const NO_TAKEOVER = { settings: { AUTOTUNER_LEASE_S: "86400" } };

/** What a page says in its console that it should not, and what it asks other hosts for. For pages a test opens itself. */
export function watch(page: Page, url: string): () => string[] {
  const lines: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      lines.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    }
  });
  page.on("pageerror", (error) => lines.push(`uncaught: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url()))
      lines.push(`asked: ${request.url()}`);
  });
  return () => lines;
}

/** The page as somebody sees it whose system, and who, likes this theme. Before the first `goto`. */
export async function inTheme(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
}

/** axe finds nothing serious, by WCAG 2.2 A and AA, in what is shown now. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const serious = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  const said = serious.map((one) => ({
    id: one.id,
    help: one.help,
    at: one.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`),
  }));
  expect(said).toEqual([]);
}

/** Nothing is wider than the screen: neither the document nor the page inside it scrolls sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(() =>
    [document.documentElement, document.querySelector("main > div")].map((one) =>
      one ? one.scrollWidth - one.clientWidth : 0,
    ),
  );
  expect(Math.max(...over)).toBeLessThanOrEqual(0);
}
