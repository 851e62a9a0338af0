import { useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { queries } from "@/api";
import { Card, CopyButton, ErrorMessage, Loading } from "@/kit";
import { RuleItem, RuleLine } from "./RuleItem";
import { orderedRules } from "./orderedRules";

/** The policy's rules in order of evaluation: the first match decides. */
export function Rules() {
  const policy = useQuery(queries.policy());
  if (policy.isError) return <ErrorMessage error={policy.error} onRetry={() => void policy.refetch()} />;
  if (!policy.data) return <Loading height="18rem" label="Rules" />;
  const { path, problem, rules } = policy.data;
  const all = orderedRules(rules);
  return (
    <Card title="Rules, in their order" padded={false}>
      <div className="flex min-w-0 items-center gap-2 border-b border-line px-4 py-2 text-sm">
        <span className="shrink-0 text-muted">File</span>
        <code className="min-w-0 break-all font-mono text-xs">{path}</code>
        <CopyButton text={path} label="Copy the file’s path" className="ml-auto" />
      </div>
      {problem && (
        <div
          role="alert"
          className="flex gap-2 border-b border-line bg-warn-soft px-4 py-3 text-sm text-warn"
        >
          <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <p className="break-words">The file cannot be used, so every privileged call asks. {problem}</p>
        </div>
      )}
      {all.length === 0 && !problem && (
        <p className="border-b border-line px-4 py-3 text-sm text-muted">
          No rules are written: there is no such file, or it is empty. It holds lists of rules under{" "}
          <code className="font-mono text-xs">deny</code>, <code className="font-mono text-xs">ask</code> and{" "}
          <code className="font-mono text-xs">allow</code>, and is read again when it changes.
        </p>
      )}
      <ol className="divide-y divide-line">
        {all.map((one, index) => (
          <RuleItem key={index} place={index + 1} {...one} />
        ))}
        <RuleLine place={all.length + 1} intent="warn" does="asks">
          every other privileged call: one that costs, publishes, deletes or restarts
        </RuleLine>
        <RuleLine place={all.length + 2} intent="ok" does="runs">
          everything else
        </RuleLine>
      </ol>
    </Card>
  );
}
