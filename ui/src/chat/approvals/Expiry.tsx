import { dateTime, duration } from "@/format";
import { useNow } from "@/kit";

const SOON_S = 600;

/** Time until an approval expires. */
export function Expiry({ at }: { at: string }) {
  const leftS = Math.max(0, (Date.parse(at) - useNow()) / 1000);
  const shown = leftS < SOON_S ? leftS : Math.floor(leftS / 60) * 60;
  return (
    <time dateTime={at} title={`Expires ${dateTime(at)}`} className="num shrink-0 text-xs text-muted">
      expires in {duration(Math.floor(shown))}
    </time>
  );
}
