import { ArrowDownToLine, Pause, Play, Search, WrapText } from "lucide-react";
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Schema, useStreamReducer } from "@/api";
import { count, plural } from "@/format";
import { Button, Card, ErrorMessage, Field, IconButton, Input, Select, useDebounced } from "@/kit";
import { LogView } from "./LogView";
import { EMPTY, type LogLevel, type Line, type Log, shown, step } from "./reduce";
import { LOAD, LogSource, NEWEST } from "./LogSource";
import { WholeLog } from "./WholeLog";

type Props = {
  task: string;
  /** How many experiments there are. */
  experiments: number;
  /** The task has ended. */
  ended: boolean;
  className?: string;
};

const LEVELS: readonly { value: LogLevel; label: string }[] = [
  { value: "debug", label: "All lines" },
  { value: "warning", label: "Warnings, errors" },
  { value: "error", label: "Errors" },
];
const DEBOUNCE_MS = 120;

/** Live log of an engine or the load generator. */
export const LogPanel = memo(function LogPanel({ task, experiments, ended, className }: Props) {
  const [source, setSource] = useState<string>(NEWEST);
  const [least, setLeast] = useState<LogLevel>("debug");
  const [typed, setTyped] = useState("");
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(false);
  const [paused, setPaused] = useState<Log | null>(null);
  const [whole, setWhole] = useState(false);
  const search = useDebounced(typed, DEBOUNCE_MS);
  const query = source === NEWEST ? "" : source === LOAD ? "?benchmark=true" : `?experiment=${source}`;
  const stream = useStreamReducer<Schema<"LogChunk">, Log>(
    `/api/tasks/${task}/logs/stream${query}`,
    step,
    EMPTY,
  );
  const { again } = stream;
  const before = useRef(ended);
  useEffect(() => {
    // The task was resumed: reconnect.
    if (before.current && !ended) again();
    before.current = ended;
  }, [ended, again]);
  const log = paused ?? stream.value;
  const lines = useMemo(() => shown(log, least, search), [log, least, search]);
  const cut = log.count > log.lines.length;
  const choose = useCallback((next: string) => (setPaused(null), setWhole(false), setSource(next)), []);
  const coming = paused ? stream.value.count - paused.count : 0;
  return (
    <Card
      title="Log"
      padded={false}
      className={className}
      actions={<LogSource {...{ source, experiments, ended }} onChange={choose} />}
    >
      <div className="flex h-[max(24rem,calc(100dvh-38rem))] flex-col">
        <div className="flex flex-wrap items-center gap-1.5 border-b border-line px-3 py-1.5">
          <Field label="Search the log" hideLabel className="min-w-32 flex-1">
            <Input
              before={<Search />}
              type="search"
              placeholder="Search"
              value={typed}
              onChange={(event) => (setWhole(false), setTyped(event.target.value))}
            />
          </Field>
          <Field label="Levels" hideLabel className="w-38">
            <Select value={least} options={LEVELS} onChange={setLeast} />
          </Field>
          <IconButton
            label="Wrap long lines"
            aria-pressed={wrap}
            variant={wrap ? "plain" : "quiet"}
            icon={<WrapText className="size-4" />}
            onClick={() => setWrap(!wrap)}
          />
          <IconButton
            label={paused ? "Go on" : "Pause"}
            aria-pressed={paused !== null}
            variant={paused ? "plain" : "quiet"}
            icon={paused ? <Play className="size-4" /> : <Pause className="size-4" />}
            disabled={stream.state === "ended" && !paused}
            onClick={() => setPaused(paused ? null : stream.value)}
          />
          <IconButton
            label="Follow the end"
            aria-pressed={follow}
            variant={follow ? "plain" : "quiet"}
            icon={<ArrowDownToLine className="size-4" />}
            onClick={() => setFollow(!follow)}
          />
        </div>
        {stream.error && <ErrorMessage compact error={stream.error} onRetry={stream.again} className="m-3" />}
        {whole ? (
          <WholeLog task={task} source={source} search={search} />
        ) : lines.length === 0 && !stream.error ? (
          <p className="flex flex-1 items-center justify-center bg-sunken px-4 text-center text-sm text-muted">
            {nothing(log, stream.state, ended)}
          </p>
        ) : (
          <LogView label="Log" {...{ lines, follow, wrap, search }} onFollow={setFollow} />
        )}
        <div className="flex h-9 items-center gap-2 border-t border-line px-3 text-xs text-muted">
          <span className="num mr-auto truncate">
            {search || least !== "debug"
              ? `${count(real(lines))} of ${plural(real(log.lines), "line")}`
              : plural(log.count - log.marks, "line")}
            {cut && !search && `, the last ${count(real(log.lines))} here`}
            {coming > 0 && ` · ${count(coming)} more while paused`}
          </span>
          {search && cut && (
            <Button size="sm" variant="quiet" onClick={() => setWhole(!whole)}>
              {whole ? "Back to the last lines" : "Search the whole log"}
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
});

const real = (lines: readonly Line[]) => lines.reduce((sum, line) => sum + (line.mark ? 0 : 1), 0);

function nothing(log: Log, state: string, ended: boolean): string {
  if (log.lines.length > 0) return "No line like that.";
  if (state === "connecting") return "Reading …";
  return ended ? "Nothing was written." : "Nothing has been written yet.";
}
