import { Bookmark, Cpu, ListChecks, MessageSquare, ScrollText, ShieldCheck } from "lucide-react";

/** The places of the navigation, in their order; `keys` after g. */
export const PLACES = [
  { to: "/", name: "Chat", icon: MessageSquare, keys: "c", also: "/chat" },
  { to: "/tasks", name: "Tasks", icon: ListChecks, keys: "t", also: "/tasks" },
  { to: "/presets", name: "Presets", icon: Bookmark, keys: "p", also: "/presets" },
  { to: "/machine", name: "Machine", icon: Cpu, keys: "m", also: "/machine" },
  { to: "/policy", name: "Policy", icon: ShieldCheck, keys: "o", also: "/policy" },
  { to: "/audit", name: "Audit", icon: ScrollText, keys: "a", also: "/audit" },
] as const;

export function isAt(path: string, place: (typeof PLACES)[number]): boolean {
  return path === place.to || path === place.also || path.startsWith(`${place.also}/`);
}
