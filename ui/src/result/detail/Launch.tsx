import { Code, Empty } from "@/kit";
import type { Experiment } from "../types";

/** Command and environment of an experiment. */
export function Launch({ experiment }: { experiment: Experiment }) {
  const env = Object.entries(experiment.env);
  if (experiment.command.length === 0)
    return <Empty title="Nothing was launched">It ended before its engine was started.</Empty>;
  return (
    <div className="space-y-3">
      <Code title="Command, with the port it had" text={lines(experiment.command)} wrap />
      {env.length > 0 && (
        <Code title="Environment" text={env.map(([name, value]) => `${name}=${value}`).join("\n")} wrap />
      )}
    </div>
  );
}

/** A shell command, each flag on its own line. */
function lines(argv: readonly string[]): string {
  return argv
    .map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", `'"'"'`)}'`))
    .reduce(
      (text, part) => (text === "" ? part : `${text}${part.startsWith("--") ? " \\\n  " : " "}${part}`),
      "",
    );
}
