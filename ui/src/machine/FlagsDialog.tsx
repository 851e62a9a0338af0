import { useQuery } from "@tanstack/react-query";
import { Flag, Search } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { queries } from "@/api";
import { plural } from "@/format";
import { Button, Dialog, Empty, ErrorMessage, Input, Loading } from "@/kit";

/** Flags of an installed engine, from its --help. */
export function FlagsDialog({ engine }: { engine: string }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const flags = useQuery({ ...queries.flags(engine), enabled: open });
  const found = flags.data?.filter((flag) => `${flag.name} ${flag.help}`.toLowerCase().includes(wanted));
  return (
    <Dialog
      open={open}
      onOpenChange={setOpen}
      size="lg"
      title={`Flags of ${engine}`}
      detail="As its own help describes them; any of them can be a parameter of a task."
      trigger={
        <Button size="sm" icon={<Flag className="size-3.5" />}>
          Flags
        </Button>
      }
    >
      <div className="space-y-2">
        <Input
          type="search"
          aria-label="Search flags"
          placeholder="Search"
          before={<Search />}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {flags.isError ? (
          <ErrorMessage error={flags.error} compact onRetry={() => void flags.refetch()} />
        ) : !found ? (
          <Loading lines={8} label="Flags; the first time takes seconds" />
        ) : found.length === 0 ? (
          <Empty title="None of these">No flag says “{text}”.</Empty>
        ) : (
          <>
            <p className="num text-xs text-muted">{plural(found.length, "flag")}</p>
            <dl className="divide-y divide-line text-sm">
              {found.map((flag) => (
                <div key={flag.name} className="py-2">
                  <dt className="font-mono text-xs font-medium">--{flag.name}</dt>
                  <dd className="mt-0.5 break-words text-muted">{flag.help || "Without a description."}</dd>
                </div>
              ))}
            </dl>
          </>
        )}
      </div>
    </Dialog>
  );
}
