import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { Schema } from "@/api";
import { Button, Dialog, ErrorMessage, Field, Input } from "@/kit";
import { rename } from "../actions";

type Props = { session: Schema<"Session">; onDone: () => void };

const LONGEST = 200;

export function RenameSession({ session, onDone }: Props) {
  const client = useQueryClient();
  const form = useId();
  const [title, setTitle] = useState(session.title);
  const renaming = useMutation({
    mutationFn: () => rename(session.id, title.trim()),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["sessions"] });
      onDone();
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onDone()}
      title="Rename conversation"
      size="sm"
      footer={
        <>
          <Button onClick={onDone}>Keep it as it is</Button>
          <Button
            variant="primary"
            type="submit"
            form={form}
            pending={renaming.isPending}
            disabled={title.trim() === ""}
          >
            Rename
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim() !== "") renaming.mutate();
        }}
      >
        <Field label="Title">
          <Input
            autoFocus
            value={title}
            maxLength={LONGEST}
            onChange={(event) => setTitle(event.target.value)}
          />
        </Field>
        {renaming.isError && <ErrorMessage error={renaming.error} compact />}
      </form>
    </Dialog>
  );
}
