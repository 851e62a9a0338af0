import { Link } from "react-router";
import type { Schema } from "@/api";
import { cx, Spinner, Time } from "@/kit";
import { SessionMenu } from "./SessionMenu";

type Props = { session: Schema<"Session">; current: boolean; onChosen?: (() => void) | undefined };

export function SessionRow({ session, current, onChosen }: Props) {
  return (
    <li
      className={cx("group relative flex items-center rounded-md", current ? "bg-hover" : "hover:bg-hover")}
    >
      <Link
        to={`/chat/${session.id}`}
        onClick={onChosen}
        aria-current={current ? "page" : undefined}
        className="focus-inset min-w-0 flex-1 rounded-md py-1.5 pl-2.5 pr-9"
      >
        <span className="flex items-center gap-1.5">
          <span className={cx("truncate text-sm", current && "font-medium")}>{session.title}</span>
          {session.running !== null && <Spinner className="text-accent-text" />}
          {session.running !== null && <span className="sr-only">, works</span>}
        </span>
        <Time at={session.updated_at} className="block truncate text-xs text-muted" />
      </Link>
      <SessionMenu session={session} className="absolute right-1" />
    </li>
  );
}
