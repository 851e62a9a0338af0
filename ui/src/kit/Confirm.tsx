import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ErrorMessage } from "./ErrorMessage";

type Props = {
  trigger?: ReactNode;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  title: ReactNode;
  /** What will happen, and whether it can be undone. */
  detail: ReactNode;
  /** The verb on the button. */
  action: string;
  danger?: boolean;
  /** The dialog closes when it is done, and stays with the reason when it fails. */
  onConfirm: () => Promise<unknown>;
  children?: ReactNode;
};

/** Asks before something that costs or cannot be undone. */
export function Confirm({
  trigger,
  open,
  onOpenChange,
  title,
  detail,
  action,
  danger,
  onConfirm,
  children,
}: Props) {
  const [own, setOwn] = useState(false);
  const shown = open ?? own;
  const show = (next: boolean) => {
    if (next) work.reset();
    setOwn(next);
    onOpenChange?.(next);
  };
  const work = useMutation({ mutationFn: onConfirm, onSuccess: () => show(false) });
  return (
    <Dialog
      open={shown}
      onOpenChange={(next) => (work.isPending ? undefined : show(next))}
      trigger={trigger}
      title={title}
      detail={detail}
      size="sm"
      footer={
        <>
          <Button onClick={() => show(false)} disabled={work.isPending}>
            Keep it as it is
          </Button>
          <Button
            variant={danger ? "danger" : "primary"}
            pending={work.isPending}
            onClick={() => work.mutate()}
            autoFocus
          >
            {action}
          </Button>
        </>
      }
    >
      {(children || work.isError) && (
        <div className="space-y-3">
          {children}
          {work.isError && <ErrorMessage error={work.error} compact />}
        </div>
      )}
    </Dialog>
  );
}
