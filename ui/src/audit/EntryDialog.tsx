import { dateTime } from "@/format";
import { Badge, Button, ButtonLink, Code, Dialog, PropertyList } from "@/kit";
import type { Entry } from "./entries";
import { actionText, intentOf } from "./filter";

type Props = { entry: Entry; onClose: () => void; onSession: (session: string) => void };

/** An entry of the audit log with all its fields. */
export function EntryDialog({ entry, onClose, onSession }: Props) {
  const { session_id } = entry;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        <span className="flex items-center gap-2">
          Entry {entry.sequence} <Badge intent={intentOf(entry.action)}>{actionText(entry.action)}</Badge>
        </span>
      }
      footer={
        session_id && (
          <>
            <Button onClick={() => onSession(session_id)}>All of this conversation</Button>
            <ButtonLink to={`/chat/${session_id}`}>To the conversation</ButtonLink>
          </>
        )
      }
    >
      <div className="space-y-4">
        <PropertyList
          properties={[
            ["When", dateTime(entry.at)],
            ["Tool", entry.tool ?? "–"],
            ["Who", entry.who ?? "–"],
            ["Call", entry.call_id ?? "–"],
            ["Approval", entry.approval_id ?? "–"],
          ]}
        />
        <Code title="Detail" text={JSON.stringify(entry.detail, null, 2)} wrap maxHeight="40dvh" />
      </div>
    </Dialog>
  );
}
