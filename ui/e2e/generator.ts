import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** The load generator that `autotuner engine install genai-bench` has put into this machine's data folder. */
const HOME =
  process.env.AUTOTUNER_HOME ??
  join(process.env.XDG_DATA_HOME ?? join(homedir(), ".local", "share"), "autotuner");
const GENERATOR = join(HOME, "engines", "genai-bench");

/** Without it no task can measure anything: `test.skip(!hasGenerator, "autotuner engine install genai-bench")`. */
export const hasGenerator = existsSync(GENERATOR);

/** Lends it to another data folder. */
export async function lendGenerator(home: string): Promise<void> {
  const engines = join(home, "engines");
  if (!hasGenerator || existsSync(join(engines, "genai-bench"))) return;
  await mkdir(engines, { recursive: true });
  await symlink(GENERATOR, join(engines, "genai-bench"));
}
