import { execFileSync, type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const OWN = at("../../.venv/bin/python");
const PYTHON = process.env.PYTHON ?? (existsSync(OWN) ? OWN : "python3");
const env = { ...process.env, PYTHONPATH: at("../.."), PYTHONDONTWRITEBYTECODE: "1" };

/** Runs a script of this folder, or of the one that the path says; what it printed. */
export function python(script: string, ...args: (string | number)[]): string {
  return execFileSync(PYTHON, [at(script), ...args.map(String)], { encoding: "utf8", env }).trim();
}

/** Starts it, and goes on. */
export function background(script: string, ...args: (string | number)[]): ChildProcess {
  return spawn(PYTHON, [at(script), ...args.map(String)], { env, stdio: ["ignore", "ignore", "inherit"] });
}
