import { WifiOff } from "lucide-react";
import { connection } from "@/api";
import { useStore } from "@/state/store";

/** Banner while the service does not answer. It overlays the page, so that the layout does not shift. */
export function ConnectionBanner() {
  const lost = useStore(connection) === "lost";
  return (
    <div role="status" className="pointer-events-none absolute inset-x-0 top-2 z-40 flex justify-center px-4">
      {lost && (
        <span className="appear pointer-events-auto flex items-center gap-2 rounded-full border border-line bg-warn-soft px-3 py-1 text-sm text-warn shadow-raised">
          <WifiOff className="size-4" aria-hidden="true" />
          The service does not answer. Trying again …
        </span>
      )}
    </div>
  );
}
