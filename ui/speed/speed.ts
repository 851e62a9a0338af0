import { cpus, loadavg } from "node:os";
import { modelSettings, test as base } from "../e2e/chat";
import { NO_TAKEOVER } from "../e2e/fixtures";
import { python } from "../e2e/python";
import { type Seeded, seed } from "../e2e/result-seed";
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
  settings: [
    ({ model }, use) => {
      const [load = 0] = loadavg();
      process.stdout.write(`  ${cpus().length} processors, busy with ${load.toFixed(1)} before it begins\n`);
      return use({ ...NO_TAKEOVER.settings, ...modelSettings(model) });
    },
    { scope: "worker" },
  ],
  scale: [
    async ({ server: { home } }, use) => {
      const running = seedTasks(home, TASKS, EXPERIMENTS - 1);
      await use({ running, ended: seed(home).many, session: python("chat-seed.py", home, TURNS, running) });
    },
    { scope: "worker", timeout: 90_000 },
  ],
});
