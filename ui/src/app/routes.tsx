import { createBrowserRouter, type RouteObject } from "react-router";
import { lost, online } from "@/api/connection";
import { Broken } from "./Broken";
import { Layout } from "./Layout";
import { Nowhere } from "./Nowhere";
import { Waiting } from "./Waiting";

type PageModule = { default: React.ComponentType };

function page(path: string, load: () => Promise<PageModule>): RouteObject {
  return { path, lazy: async () => ({ Component: (await patiently(load)).default }), ErrorBoundary: Broken };
}

/** A page's script cannot be had while the service is away: the page before it stays until it can. */
async function patiently(load: () => Promise<PageModule>): Promise<PageModule> {
  try {
    return await load();
  } catch {
    lost();
    await online();
    return load();
  }
}

const chat = () => import("@/chat/ChatPage");

export const routes: RouteObject[] = [
  {
    Component: Layout,
    HydrateFallback: Waiting,
    ErrorBoundary: Broken,
    children: [
      page("/", chat),
      page("/chat/:sessionId", chat),
      page("/tasks", () => import("@/tasks/TasksPage")),
      page("/tasks/new", () => import("@/tasks/NewTaskPage")),
      page("/tasks/:id", () => import("@/tasks/TaskPage")),
      page("/tasks/:id/edit", () => import("@/tasks/EditTaskPage")),
      page("/tasks/:id/result", () => import("@/result/ResultPage")),
      page("/presets", () => import("@/shelves/PresetsPage")),
      page("/machine", () => import("@/shelves/MachinePage")),
      page("/policy", () => import("@/shelves/PolicyPage")),
      page("/audit", () => import("@/shelves/AuditPage")),
      { path: "*", Component: Nowhere },
    ],
  },
];

export const createRouter = () => createBrowserRouter(routes);
