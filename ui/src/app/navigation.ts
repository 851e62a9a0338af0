import { Bookmark, Cpu, ListChecks, MessageSquare, ScrollText, ShieldCheck } from "lucide-react";

/** The pages of the navigation, in their order; `also`: an address that belongs to one as well. */
export const NAVIGATION = [
  { to: "/", name: "Chat", icon: MessageSquare, also: "/chat" },
  { to: "/tasks", name: "Tasks", icon: ListChecks, also: "/tasks" },
  { to: "/presets", name: "Presets", icon: Bookmark, also: "/presets" },
  { to: "/machine", name: "Machine", icon: Cpu, also: "/machine" },
  { to: "/policy", name: "Policy", icon: ShieldCheck, also: "/policy" },
  { to: "/audit", name: "Audit", icon: ScrollText, also: "/audit" },
] as const;

export function isActive(path: string, place: (typeof NAVIGATION)[number]): boolean {
  return path === place.to || path === place.also || path.startsWith(`${place.also}/`);
}
