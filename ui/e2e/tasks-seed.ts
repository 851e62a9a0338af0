import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const own = at("../../.venv/bin/python");

/** Its newest experiment. */
export const NEWEST = 11;

/** Puts so many tasks into a service's data folder, and one that runs for good; the id of that one. */
export function seedTasks(home: string, count: number): string {
  const python = process.env.PYTHON ?? (existsSync(own) ? own : "python3");
  const env = { ...process.env, PYTHONPATH: at("../.."), PYTHONDONTWRITEBYTECODE: "1" };
  return execFileSync(python, [at("tasks-seed.py"), home, String(count)], { encoding: "utf8", env }).trim();
}
