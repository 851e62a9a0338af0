import { createBrowserRouter, type RouteObject } from "react-router";
import { reportUnreachable, whenOnline } from "@/api/connection";
import { ErrorPage } from "./ErrorPage";
import { Layout } from "./Layout";
import { NotFound } from "./NotFound";
import { BlankPage } from "./BlankPage";

type PageModule = { default: React.ComponentType };

function page(path: string, load: () => Promise<PageModule>): RouteObject {
  return {
    path,
    lazy: async () => ({ Component: (await loadWhenOnline(load)).default }),
    ErrorBoundary: ErrorPage,
  };
}

/** Loads a page's code; when the service cannot be reached, again as soon as it answers. */
async function loadWhenOnline(load: () => Promise<PageModule>): Promise<PageModule> {
  try {
    return await load();
  } catch {
    reportUnreachable();
    await whenOnline();
    return load();
  }
}

const chat = () => import("@/chat/ChatPage");

export const routes: RouteObject[] = [
  {
    Component: Layout,
    HydrateFallback: BlankPage,
    ErrorBoundary: ErrorPage,
    children: [
      page("/", chat),
      page("/chat/:sessionId", chat),
      page("/tasks", () => import("@/tasks/TasksPage")),
      page("/tasks/new", () => import("@/tasks/NewTaskPage")),
      page("/tasks/:id", () => import("@/tasks/TaskPage")),
      page("/tasks/:id/edit", () => import("@/tasks/EditTaskPage")),
      page("/tasks/:id/result", () => import("@/result/ResultPage")),
      page("/presets", () => import("@/presets/PresetsPage")),
      page("/machine", () => import("@/machine/MachinePage")),
      page("/policy", () => import("@/policy/PolicyPage")),
      page("/audit", () => import("@/audit/AuditPage")),
      { path: "*", Component: NotFound },
    ],
  },
];

export const createRouter = () => createBrowserRouter(routes);
