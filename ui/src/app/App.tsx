import { QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import { useState } from "react";
import { RouterProvider } from "react-router";
import { connection } from "@/api";
import { Toaster } from "@/kit/Toaster";
import { useStore } from "@/state/store";
import { LoginRequired } from "./LoginRequired";
import { createQueryClient } from "./queryClient";
import { createRouter } from "./routes";

export function App() {
  const [client] = useState(createQueryClient);
  const [router] = useState(createRouter);
  const locked = useStore(connection) === "locked";
  return (
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={400} skipDelayDuration={200}>
        {locked ? <LoginRequired /> : <RouterProvider router={router} />}
        <Toaster />
      </Tooltip.Provider>
    </QueryClientProvider>
  );
}
