import type { UseQueryResult } from "@tanstack/react-query";
import { Search } from "lucide-react";
import type { ReactNode } from "react";
import type { Schema } from "@/api";
import { plural } from "@/format";
import { Code } from "./Code";
import { Empty } from "./Empty";
import { ErrorMessage } from "./ErrorMessage";
import { Input } from "./Input";
import { Loading } from "./Loading";

type Props = {
  log: UseQueryResult<Schema<"LogExcerpt">>;
  text: string;
  onSearch: (text: string) => void;
  /** Beside the search: which log. */
  controls?: ReactNode;
};

/** The end of a log, or its lines that match a text or a /regular expression/. */
export function LogExcerpt({ log, text, onSearch, controls }: Props) {
  const search = text.trim();
  return (
    <div className="space-y-2">
      <div className="flex gap-2">
        <Input
          type="search"
          aria-label="Search the log"
          placeholder="Search, or /expression/"
          before={<Search />}
          value={text}
          onChange={(event) => onSearch(event.target.value)}
          className="flex-1"
        />
        {controls}
      </div>
      {log.isError ? (
        <ErrorMessage error={log.error} compact onRetry={() => void log.refetch()} />
      ) : !log.data ? (
        <Loading label="The log" height="24rem" />
      ) : log.data.lines.length === 0 ? (
        <Empty title={search ? "No line has this text" : "The log is empty"} />
      ) : (
        <>
          <Code
            text={log.data.lines.join("\n")}
            title={search ? `Lines with “${search}”` : "The end of the log"}
            maxHeight="max(24rem, 55dvh)"
          />
          <p className="num text-xs text-muted">{countText(log.data)}</p>
        </>
      )}
    </div>
  );
}

function countText({ lines, matches, truncated }: Schema<"LogExcerpt">): string {
  if (matches !== null) return `${plural(matches, "line")} in all`;
  const shown = plural(lines.length, "line");
  return truncated ? `The last ${shown}; search to find earlier ones.` : shown;
}
