import { Download, Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Schema } from "@/api";
import { IconButton, Menu } from "@/kit";
import { transcriptOf } from "../actions";
import { DeleteSession } from "./DeleteSession";
import { RenameSession } from "./RenameSession";

type Props = { session: Schema<"Session">; className?: string };

const ICON = "size-4";

/** Actions for a conversation. */
export function SessionMenu({ session, className }: Props) {
  const [doing, setDoing] = useState<"rename" | "delete" | null>(null);
  const done = () => setDoing(null);
  return (
    <>
      <Menu
        label={`Conversation ${session.title}`}
        trigger={
          <IconButton
            size="sm"
            tooltip={false}
            label={`Options of ${session.title}`}
            icon={<Ellipsis className={ICON} />}
            className={className}
          />
        }
        items={[
          { label: "Rename…", icon: <Pencil className={ICON} />, onSelect: () => setDoing("rename") },
          { label: "Export as Markdown", icon: <Download className={ICON} />, onSelect: () => save(session) },
          "line",
          {
            label: "Delete…",
            icon: <Trash2 className={ICON} />,
            danger: true,
            onSelect: () => setDoing("delete"),
          },
        ]}
      />
      {doing === "rename" && <RenameSession session={session} onDone={done} />}
      {doing === "delete" && <DeleteSession session={session} onDone={done} />}
    </>
  );
}

/** The browser saves it as the service sends it. */
function save(session: Schema<"Session">): void {
  const link = document.createElement("a");
  link.href = transcriptOf(session.id);
  link.download = "";
  link.click();
}
