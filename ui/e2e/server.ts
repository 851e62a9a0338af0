import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { lend } from "./generator";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OWN = join(ROOT, ".venv", "bin", "autotuner");
const STARTED_MS = 60_000;

/** A real service on a fresh data folder, and the built page. */
export type Server = {
  url: string;
  token: string;
  home: string;
  /** A login link that nobody has used. */
  link: () => Promise<string>;
  stop: () => Promise<void>;
};

/**
 * Starts `autotuner serve`, and answers when its assistant does.
 *
 * @param options.home kept when it stops, so that another one can go on with it; else a fresh one that is removed.
 * @param options.engines that it has, of those that this machine has; else the built-in one alone.
 * @param options.env settings: `AUTOTUNER_LLM_MODEL`, ….
 */
export async function startServer(
  options: { home?: string; port?: number; env?: Record<string, string>; engines?: readonly string[] } = {},
): Promise<Server> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "autotuner-ui-")));
  await lend(["genai-bench", ...(options.engines ?? [])], home);
  const child = spawn(existsSync(OWN) ? OWN : "autotuner", ["serve", "--port", String(options.port ?? 0)], {
    cwd: home,
    env: { ...clean(process.env), AUTOTUNER_HOME: home, PYTHONUNBUFFERED: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test run that ends early leaves no service behind.
  const orphaned = () => child.kill("SIGTERM");
  process.once("exit", orphaned);
  const stop = async () => {
    await ended(child);
    process.off("exit", orphaned);
    if (!options.home) await rm(home, { recursive: true, force: true });
  };
  const { url, token } = await said(child, options.env?.AUTOTUNER_TOKEN).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const headers = { Authorization: `Bearer ${token}` };
  return {
    url,
    token,
    home,
    link: async () => {
      const answer = await fetch(`${url}/api/system/login-links`, { method: "POST", headers });
      return url + ((await answer.json()) as { path: string }).path;
    },
    stop,
  };
}

function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AUTOTUNER_")));
}

async function said(child: ChildProcess, set: string | undefined): Promise<{ url: string; token: string }> {
  const lines: string[] = [];
  const found: Record<string, string> = set ? { token: set } : {};
  const timer = setTimeout(() => child.kill("SIGKILL"), STARTED_MS);
  child.stderr?.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(`${line}\n`);
      const url = /^Autotuner serves at (\S+);/.exec(line)?.[1];
      const token = /^\s+token\s+(\S+)/.exec(line)?.[1];
      const model = /^\s+model\s+(\S+)/.exec(line)?.[1];
      Object.assign(found, url && { url }, token && { token }, model && { model });
      if (found.url && found.token && found.model) break;
    }
  }
  clearTimeout(timer);
  child.stdout?.resume();
  if (!found.url || !found.token || !found.model)
    throw new Error(`The service did not start:\n${lines.join("")}`);
  return { url: found.url, token: found.token };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await gone;
  clearTimeout(timer);
}
