import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { Tooltip } from "radix-ui";
import type { ReactNode } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";

/** Draws a part of the page with what stands around it: addresses, questions, tooltips. */
export function show(
  children: ReactNode,
  options: { at?: string; path?: string } = {},
): RenderResult & { user: UserEvent } {
  const { at = "/", path = "*" } = options;
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = createMemoryRouter([{ path, element: children }], { initialEntries: [at] });
  const rendered = render(
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={0}>
        <RouterProvider router={router} />
      </Tooltip.Provider>
    </QueryClientProvider>,
  );
  return { ...rendered, user: userEvent.setup() };
}
