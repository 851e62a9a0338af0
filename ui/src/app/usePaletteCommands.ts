import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useNavigate } from "react-router";
import { queries } from "@/api";
import { choose } from "@/state/theme";
import type { Command } from "./commands";
import { NAVIGATION } from "./navigation";

const FOUND = 6;
const THEMES = [
  { value: "light", name: "Light theme", words: "bright" },
  { value: "dark", name: "Dark theme", words: "night" },
  { value: "system", name: "Theme of the system", words: "auto" },
] as const;

/** Commands of the palette: pages, actions, themes, and tasks and conversations that match a text. */
export function usePaletteCommands(text: string, open: boolean): Command[] {
  const go = useNavigate();
  const query = { limit: FOUND, ...(text ? { text } : {}) };
  const tasks = useQuery({ ...queries.tasks(query), enabled: open });
  const sessions = useQuery({ ...queries.sessions(query), enabled: open });
  return useMemo(() => {
    const to = (path: string) => () => void go(path);
    const name = (one: string) => one.trim() || "Without a name";
    return [
      ...NAVIGATION.map((place) => ({
        id: place.to,
        name: place.name,
        group: "Go to",
        words: "open page",
        run: to(place.to),
      })),
      { id: "new-chat", name: "New conversation", group: "Do", words: "chat assistant ask", run: to("/") },
      { id: "new-task", name: "New task", group: "Do", words: "create tune", run: to("/tasks/new") },
      ...(tasks.data?.items ?? []).map((task) => ({
        id: `task-${task.id}`,
        name: name(task.name),
        group: "Tasks",
        words: `${task.model} ${task.id} ${task.state} ${text}`,
        run: to(`/tasks/${task.id}`),
      })),
      ...(sessions.data?.items ?? []).map((session) => ({
        id: `session-${session.id}`,
        name: name(session.title),
        group: "Conversations",
        words: `chat session ${text}`,
        run: to(`/chat/${session.id}`),
      })),
      ...THEMES.map(({ value, name, words }) => ({
        id: value,
        name,
        group: "Look",
        words: `appearance ${words}`,
        run: () => choose(value),
      })),
    ];
  }, [go, tasks.data, sessions.data, text]);
}
