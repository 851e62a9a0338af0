import { useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, call } from "@/api";
import { dateTime } from "@/format";
import { Badge, Button, Confirm, cx, type Intent } from "@/kit";
import { type Grant, type GrantState, grantState } from "./allGrants";
import { patternText } from "./orderedRules";

const STYLES: Record<GrantState, { intent: Intent; text: string }> = {
  holds: { intent: "ok", text: "holds" },
  expired: { intent: "neutral", text: "expired" },
  revoked: { intent: "neutral", text: "revoked" },
};

/** A grant: tool, pattern, conversation and expiry. */
export function GrantItem({ grant, now }: { grant: Grant; now: number }) {
  const client = useQueryClient();
  const state = grantState(grant, now);
  const pattern = patternText(grant.pattern);
  const revoke = async () => {
    const path = { session_id: grant.session_id, grant_id: grant.id };
    await call(api.DELETE("/api/agent/sessions/{session_id}/grants/{grant_id}", { params: { path } }));
    await Promise.all([
      client.invalidateQueries({ queryKey: ["grants"] }),
      client.invalidateQueries({ queryKey: ["sessions", grant.session_id, "grants"] }),
      client.invalidateQueries({ queryKey: ["audit"] }),
    ]);
  };
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5 text-sm">
      <Badge intent={STYLES[state].intent}>{STYLES[state].text}</Badge>
      <div className={cx("min-w-0 flex-1 basis-64", state !== "holds" && "text-muted")}>
        <code className="font-mono text-xs font-medium">{grant.tool}</code>
        <span className="break-words text-muted" title={JSON.stringify(grant.pattern)}>
          {pattern ? ` where ${pattern}` : ", whatever its arguments are"}
          {grant.exact && ", and nothing else"}
        </span>
        <p className="text-xs text-muted">
          In{" "}
          <Link to={`/chat/${grant.session_id}`} className="text-accent-text underline underline-offset-2">
            this conversation
          </Link>{" "}
          {state === "revoked" && grant.revoked_at
            ? `until it was revoked ${dateTime(grant.revoked_at)}`
            : `until ${dateTime(grant.expires_at)}`}
        </p>
      </div>
      {state === "holds" && (
        <Confirm
          trigger={<Button>Revoke</Button>}
          title={`Revoke what was allowed for ${grant.tool}?`}
          detail="Later calls like it ask again. What has run already stays done."
          action="Revoke"
          danger
          onConfirm={revoke}
        />
      )}
    </li>
  );
}
