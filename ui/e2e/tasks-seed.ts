import { python } from "./python";

/** The newest experiment of the task that runs. */
export const NEWEST = 11;

/** Puts so many tasks into a service's data folder, and one that runs for good; the id of that one. */
export const seedTasks = (home: string, count: number, newest = NEWEST): string =>
  python("tasks-seed.py", home, count, newest);
