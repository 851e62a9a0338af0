import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const own = at("../../.venv/bin/python");

/** Ids of tasks by the kind of their result. */
export type Seeded = Record<
  "proven" | "gpus" | "scenarios" | "objectives" | "infeasible" | "failed" | "draft" | "many",
  string
>;

/** Puts tasks that were never run into a service's data folder, one for each kind of result. */
export function seed(home: string): Seeded {
  const python = process.env.PYTHON ?? (existsSync(own) ? own : "python3");
  const env = { ...process.env, PYTHONPATH: at("../.."), PYTHONDONTWRITEBYTECODE: "1" };
  return JSON.parse(execFileSync(python, [at("result-seed.py"), home], { encoding: "utf8", env })) as Seeded;
}
