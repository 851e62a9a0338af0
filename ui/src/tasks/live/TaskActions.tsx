import { Ban, BarChart3, Copy, Download, Ellipsis, Pencil, Play, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { saveFile } from "@/files/saveFile";
import type { Schema } from "@/api";
import { Button, ButtonLink, Confirm, IconButton, Menu, type MenuItem, toastError } from "@/kit";
import { taskFileUrl } from "../spec/taskFile";
import { useTaskActions, type Verb } from "./useTaskActions";

type Props = {
  task: Schema<"Task">;
  state: Schema<"TaskState">;
  onChanged: () => void;
  /** It is being deleted: what is asked of it would not be found. */ onLeaving: (leaving: boolean) => void;
};

const ASKS: Record<Verb, { title: string; detail: string; action: string; danger?: boolean }> = {
  start: {
    title: "Start this task?",
    detail: "It is queued for the next free worker, and takes the machine for as long as the plan says.",
    action: "Start",
  },
  cancel: {
    title: "Cancel this task?",
    detail:
      "The engine is stopped and the running experiment is lost. Finished ones stay, and it can be resumed.",
    action: "Cancel the task",
    danger: true,
  },
  resume: {
    title: "Resume this task?",
    detail: "It goes on where it stopped: what is measured stays, and an interrupted experiment runs again.",
    action: "Resume",
  },
  restart: {
    title: "Run it again from the start?",
    detail: "A fresh copy is queued and measures everything anew. This task stays as it is.",
    action: "Restart",
  },
  delete: {
    title: "Delete this task?",
    detail: "Its experiments, logs and files go with it. This cannot be undone.",
    action: "Delete",
    danger: true,
  },
};
const ICON = "size-3.5";

/** Actions for a task, by its state. */
export function TaskActions({ task, state, onChanged, onLeaving }: Props) {
  const go = useNavigate();
  const act = useTaskActions(task.id);
  const [asked, setAsked] = useState<Verb | null>(null);
  const ask = (what: Verb) => () => setAsked(what);
  const stopped = state === "failed" || state === "cancelled";
  const active = state === "queued" || state === "running";
  const save = () => void saveFile(taskFileUrl(task.id)).catch(toastError);
  const items: MenuItem[] = [
    ...(stopped || state === "completed"
      ? [{ label: "Restart …", icon: <RotateCcw />, onSelect: ask("restart") }]
      : []),
    { label: "Edit a copy", icon: <Copy />, onSelect: () => void go(`/tasks/new?from=${task.id}`) },
    { label: "Export as YAML", icon: <Download />, onSelect: save },
    "line",
    { label: "Delete …", icon: <Trash2 />, danger: true, disabled: active, onSelect: ask("delete") },
  ];
  return (
    <>
      {state === "created" && (
        <>
          <ButtonLink to={`/tasks/${task.id}/edit`} icon={<Pencil className={ICON} />}>
            Edit
          </ButtonLink>
          <Button variant="primary" icon={<Play className={ICON} />} onClick={ask("start")}>
            Start
          </Button>
        </>
      )}
      {active && (
        <Button icon={<Ban className={ICON} />} onClick={ask("cancel")}>
          Cancel
        </Button>
      )}
      {stopped && (
        <Button icon={<Play className={ICON} />} onClick={ask("resume")}>
          Resume
        </Button>
      )}
      {state !== "created" && state !== "queued" && (
        <ButtonLink
          variant={active ? "plain" : "primary"}
          to={`/tasks/${task.id}/result`}
          icon={<BarChart3 className={ICON} />}
        >
          Result
        </ButtonLink>
      )}
      <Menu
        label="More"
        trigger={
          <IconButton label="More" tooltip={false} variant="plain" icon={<Ellipsis className="size-4" />} />
        }
        items={items}
      />
      {asked && (
        <Confirm
          open
          onOpenChange={(open) => !open && setAsked(null)}
          {...ASKS[asked]}
          onConfirm={async () => {
            onLeaving(asked === "delete");
            try {
              await act(asked);
            } catch (error) {
              onLeaving(false);
              throw error;
            }
            if (asked !== "delete") onChanged();
          }}
        />
      )}
    </>
  );
}
