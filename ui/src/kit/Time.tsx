import { ago, dateTime } from "@/format";
import { useNow } from "./useNow";

type Props = {
  /** As the service sends it: ISO 8601. */
  at: string;
  /** `ago`: 5 min ago; `full`: date and time in the reader's zone. The other one is the tooltip. */
  as?: "ago" | "full";
  className?: string;
};

export function Time({ at, as = "ago", className }: Props) {
  const now = useNow(as === "ago");
  const full = dateTime(at);
  return (
    <time dateTime={at} title={full} className={className}>
      {as === "ago" ? ago(at, now) : full}
    </time>
  );
}
