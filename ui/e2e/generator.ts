import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** What `autotuner engine install` has put into this machine's data folder. */
const HOME =
  process.env.AUTOTUNER_HOME ??
  join(process.env.XDG_DATA_HOME ?? join(homedir(), ".local", "share"), "autotuner");

export const isInstalled = (name: string): boolean => existsSync(join(HOME, "engines", name));

/** Without it no task can measure anything: `test.skip(!hasGenerator, "autotuner engine install genai-bench")`. */
export const hasGenerator = isInstalled("genai-bench");

/** Lends them to another data folder, those that are installed. */
export async function lend(names: readonly string[], home: string): Promise<void> {
  const engines = join(home, "engines");
  await mkdir(engines, { recursive: true });
  for (const name of names) {
    if (!isInstalled(name) || existsSync(join(engines, name))) continue;
    await symlink(join(HOME, "engines", name), join(engines, name));
  }
}
