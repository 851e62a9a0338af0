import { cpus, loadavg } from "node:os";
import { test as base } from "../e2e/chat";
import { python } from "../e2e/python";
import { type Seeded, seed } from "../e2e/result-seed";
import { startServer } from "../e2e/server";
import { seedTasks } from "../e2e/tasks-seed";

export const TASKS = 2000;
export const EXPERIMENTS = 500;
const TURNS = 500;

type Scale = {
  /** A task that runs for good, with so many experiments. */
  running: string;
  /** One that has ended. */
  ended: Seeded["many"];
  /** A conversation of twice so many messages, in which the task that runs was started. */
  session: string;
};

/** On a service whose data folder is as full as one gets, and whose assistant says what is written here. */
export const test = base.extend<object, { scale: Scale }>({
  server: [
    async ({ model }, use) => {
      const [load = 0] = loadavg();
      process.stdout.write(`  ${cpus().length} processors, busy with ${load.toFixed(1)} before it begins\n`);
      const server = await startServer({
        env: {
          // Nobody takes the seeded task over.
          AUTOTUNER_LEASE_S: "86400",
          AUTOTUNER_LLM_MODEL: "scripted",
          AUTOTUNER_LLM_BASE_URL: model.url,
          AUTOTUNER_LLM_API_KEY: "none",
        },
      });
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  scale: [
    async ({ server: { home } }, use) => {
      const running = seedTasks(home, TASKS, EXPERIMENTS - 1);
      await use({ running, ended: seed(home).many, session: python("chat-seed.py", home, TURNS, running) });
    },
    { scope: "worker", timeout: 90_000 },
  ],
});
