import { duration } from "@/format";
import { useNow } from "./useNow";

type Props =
  { seconds: number; className?: string } | { since: string; until?: string | null; className?: string };

/** How long something took, or has been going on: then it counts. */
export function Duration(props: Props) {
  const counting = "since" in props && !props.until;
  const now = useNow(counting);
  const seconds =
    "seconds" in props
      ? props.seconds
      : Math.max(0, ((props.until ? Date.parse(props.until) : now) - Date.parse(props.since)) / 1000);
  return (
    <span className={`num ${props.className ?? ""}`}>
      {duration(counting ? Math.floor(seconds) : seconds)}
    </span>
  );
}
