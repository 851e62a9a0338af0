import { useEffect, useState } from "react";

const AWAY_MS = 30_000;

/** Whether somebody may be looking: false when the page has been hidden for a while. */
export function usePresent(): boolean {
  const [present, setPresent] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "hidden") timer = setTimeout(() => setPresent(false), AWAY_MS);
      else setPresent(true);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return present;
}
