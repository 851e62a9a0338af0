import { QueryClient } from "@tanstack/react-query";
import { ApiError, connection } from "@/api";

const ATTEMPTS = 2;

/** What is refused for a reason is not asked again; what was lost is, as soon as the service answers. */
export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < ATTEMPTS && error instanceof ApiError && error.status === 503,
        // A service on this machine is reached without the net.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
  let before = connection.get();
  connection.subscribe(() => {
    const now = connection.get();
    if (before === "lost" && now === "online") void client.invalidateQueries();
    before = now;
  });
  return client;
}
