import { ArrowLeft, Copy, Download, Pencil, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { Badge, Button, ButtonLink, Card, Code, Confirm, IconButton, Time, toastError } from "@/kit";
import { saveFile } from "@/files/saveFile";
import { toYaml } from "@/yaml/document";
import { usePresetActions } from "./actions";
import type { Preset } from "./types";

type Props = {
  preset: Preset;
  onEdit: () => void;
  onCopy: () => void;
  onGone: () => void;
  onBack: () => void;
};

/** A preset with its actions. */
export function PresetView({ preset, onEdit, onCopy, onGone, onBack }: Props) {
  const [deleting, setDeleting] = useState(false);
  const { remove } = usePresetActions();
  const { name } = preset;
  const save = () => void saveFile(`/api/presets/${encodeURIComponent(name)}/export`).catch(toastError);
  return (
    <Card
      aria-label={name}
      title={
        <span className="flex min-w-0 items-center gap-2">
          <IconButton
            className="-ml-2 lg:hidden"
            size="sm"
            label="All presets"
            icon={<ArrowLeft className="size-4" />}
            onClick={onBack}
          />
          <span className="truncate">{name}</span>
          {preset.built_in && <Badge>built in</Badge>}
          {preset.engine && <Badge intent="info">{preset.engine}</Badge>}
        </span>
      }
      actions={
        <>
          <IconButton label="Export as a file" icon={<Download className="size-4" />} onClick={save} />
          <IconButton label="Copy to a new preset" icon={<Copy className="size-4" />} onClick={onCopy} />
          {!preset.built_in && (
            <>
              <IconButton
                label="Delete"
                icon={<Trash2 className="size-4" />}
                onClick={() => setDeleting(true)}
              />
              <Button icon={<Pencil className="size-4" />} onClick={onEdit}>
                Edit
              </Button>
            </>
          )}
          <ButtonLink
            variant="primary"
            icon={<Play className="size-4" />}
            to={`/tasks/new?preset=${encodeURIComponent(name)}`}
          >
            New task
          </ButtonLink>
        </>
      }
    >
      <div className="space-y-3">
        <p className="max-w-prose text-sm">
          {preset.description || <span className="text-muted">Without a description.</span>}
        </p>
        <Code title="Its part of a task" text={toYaml(preset.task).trimEnd()} maxHeight="60dvh" />
        {preset.updated_at && (
          <p className="text-xs text-muted">
            Changed <Time at={preset.updated_at} />
          </p>
        )}
      </div>
      <Confirm
        open={deleting}
        onOpenChange={setDeleting}
        title={`Delete the preset ${name}?`}
        detail="It cannot be brought back. Tasks that were begun with it stay as they are."
        action="Delete"
        danger
        onConfirm={async () => {
          onGone();
          await remove(name);
        }}
      />
    </Card>
  );
}
