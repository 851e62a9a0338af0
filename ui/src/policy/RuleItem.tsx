import type { ReactNode } from "react";
import { Badge, type Intent } from "@/kit";
import { type OrderedRule, type RuleKind, patternText } from "./orderedRules";

const KINDS: Record<RuleKind, { intent: Intent; does: string }> = {
  deny: { intent: "bad", does: "denies" },
  ask: { intent: "warn", does: "asks" },
  allow: { intent: "ok", does: "allows" },
};

type LineProps = { place: number; intent: Intent; does: string; children: ReactNode };

/** A line of the list: what happens, and to which calls. */
export function RuleLine({ place, intent, does, children }: LineProps) {
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-4 py-2.5 text-sm">
      <span className="num w-5 text-right text-xs text-faint">{place}</span>
      <span className="w-14">
        <Badge intent={intent}>{does}</Badge>
      </span>
      <div className="min-w-0 flex-1 basis-56">{children}</div>
    </li>
  );
}

/** A rule: tool, pattern of arguments and reason. */
export function RuleItem({ place, kind, rule }: OrderedRule & { place: number }) {
  const pattern = patternText(rule.args);
  return (
    <RuleLine place={place} {...KINDS[kind]}>
      <code className="font-mono text-xs font-medium">{rule.tool}</code>
      <span className="break-words text-muted">
        {pattern ? ` where ${pattern}` : ", whatever its arguments are"}
      </span>
      {rule.reason && <p className="break-words text-muted">{rule.reason}</p>}
      {kind === "allow" && (
        <p className="text-xs text-muted">
          {rule.after_untrusted
            ? "Also after text that nobody here vouches for has entered the conversation."
            : "Asks again once a log, a model card or an issue has been read."}
        </p>
      )}
    </RuleLine>
  );
}
