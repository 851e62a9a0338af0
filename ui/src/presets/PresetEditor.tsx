import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { problemOf } from "@/api";
import { Button, Card, ErrorMessage, Loading, toast } from "@/kit";
import { read, type YamlError } from "@/yaml/document";
import { usePresetActions } from "./actions";

const YamlEditor = lazy(() => import("@/yaml/YamlEditor"));

type Props = {
  title: string;
  /** Null for a new preset. */
  name: string | null;
  initial: string;
  onDone: (name: string) => void;
  onCancel: () => void;
};

/** A preset as YAML, with errors at their lines. */
export function PresetEditor({ title, name, initial, onDone, onCancel }: Props) {
  const [text, setText] = useState(initial);
  const { create, save } = usePresetActions();
  const saving = useMutation({
    mutationFn: () => (name === null ? create(text) : save(name, text)),
    onSuccess: (saved) => {
      toast(`Saved ${saved.name}.`, { intent: "ok" });
      onDone(saved.name);
    },
  });
  const draft = useMemo(() => read(text), [text]);
  const marks = useMemo((): readonly YamlError[] => {
    if (draft.errors.length > 0) return draft.errors;
    const { errors } = saving.error ? problemOf(saving.error) : { errors: [] };
    return errors.map(({ line, where, message }) => ({
      line: line ?? 1,
      message: where && line == null ? `${where}: ${message}` : message,
    }));
  }, [draft, saving.error]);
  const change = (next: string) => {
    setText(next);
    if (saving.isError) saving.reset();
  };
  return (
    <Card
      title={title}
      actions={
        <>
          <Button onClick={onCancel}>Cancel</Button>
          <Button
            variant="primary"
            pending={saving.isPending}
            disabled={draft.errors.length > 0}
            onClick={() => saving.mutate()}
          >
            Save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {saving.isError && <ErrorMessage error={saving.error} compact />}
        <div className="h-[58dvh] min-h-80">
          <Suspense fallback={<Loading height="100%" label="The editor" />}>
            <YamlEditor label={title} text={text} marks={marks} line={null} onChange={change} />
          </Suspense>
        </div>
        {draft.errors[0] && (
          <p role="status" className="text-sm text-bad">
            Line {draft.errors[0].line}: {draft.errors[0].message}
          </p>
        )}
      </div>
    </Card>
  );
}
