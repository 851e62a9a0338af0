import { duration } from "@/format";
import { useNow } from "./useNow";

type Props =
  { seconds: number; className?: string } | { since: string; until?: string | null; className?: string };

/** A duration: fixed, or counting up since a time. */
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
