import { python } from "./python";

/** Ids of tasks by the kind of their result. */
export type Seeded = Record<
  "proven" | "gpus" | "scenarios" | "objectives" | "infeasible" | "failed" | "draft" | "many",
  string
>;

/** Puts tasks that were never run into a service's data folder, one for each kind of result. */
export const seed = (home: string): Seeded => JSON.parse(python("result-seed.py", home)) as Seeded;
