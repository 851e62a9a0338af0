import { QueryClient } from "@tanstack/react-query";
import { ApiError, connection } from "@/api";

const ATTEMPTS = 2;

/** Refused requests are not retried; all queries are refetched when the service answers again. */
export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < ATTEMPTS && error instanceof ApiError && error.status === 503,
        // The service may run on this machine, reachable without a network.
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
