import { useMutation } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef } from "react";
import { problemOf } from "@/api";
import { plural } from "@/format";
import { Button, Dialog, ErrorMessage, Spinner } from "@/kit";
import { fileText } from "@/files/chooseFiles";
import { usePresetActions } from "./actions";

const TAKEN = 409;

/** Imports presets from files; asks before it overwrites one. */
export function ImportDialog({ files, onClose }: { files: readonly File[]; onClose: () => void }) {
  const { bring } = usePresetActions();
  const work = useMutation({
    mutationFn: async (replace: boolean) => {
      const saved: string[] = [];
      for (const file of files) {
        const text = await fileText(file);
        saved.push(...(await bring(text, replace)).map((one) => one.name));
      }
      return saved;
    },
  });
  const start = useEffectEvent(() => work.mutate(false));
  const begun = useRef(false);
  useEffect(() => {
    // Once, also where an effect runs twice.
    if (!begun.current) start();
    begun.current = true;
  }, []);
  const taken = work.isError && problemOf(work.error).status === TAKEN;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="sm"
      title={work.isSuccess ? `${plural(work.data.length, "preset")} imported` : "Import presets"}
      footer={
        <>
          {taken && (
            <Button variant="danger" onClick={() => work.mutate(true)}>
              Write over those that are there
            </Button>
          )}
          <Button variant={work.isSuccess ? "primary" : "plain"} onClick={onClose} disabled={work.isPending}>
            {work.isSuccess ? "Done" : "Close"}
          </Button>
        </>
      }
    >
      {work.isError ? (
        <ErrorMessage error={work.error} compact />
      ) : work.isSuccess ? (
        <p className="text-sm">{work.data.join(", ")}</p>
      ) : (
        <p className="flex items-center gap-2 text-sm text-muted">
          <Spinner /> Reading {plural(files.length, "file")} …
        </p>
      )}
    </Dialog>
  );
}
