import { Suspense } from "react";
import { Outlet } from "react-router";
import { BottomBar } from "./BottomBar";
import { ConnectionBanner } from "./ConnectionBanner";
import { Palette } from "./Palette";
import { Sidebar } from "./Sidebar";
import { usePageFocus } from "./usePageFocus";
import { BlankPage } from "./BlankPage";

/** Frame of every page: navigation at the left, or at the bottom of small screens. */
export function Layout() {
  const main = usePageFocus();
  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a
        href="#main"
        className="fixed left-2 top-2 z-60 -translate-y-16 rounded-md bg-accent px-3 py-1.5 text-sm text-on-accent focus:translate-y-0"
      >
        Skip to the page
      </a>
      <Sidebar />
      <main id="main" ref={main} tabIndex={-1} className="relative min-h-0 min-w-0 flex-1 outline-none">
        <Suspense fallback={<BlankPage />}>
          <Outlet />
        </Suspense>
        <ConnectionBanner />
      </main>
      <BottomBar />
      <Palette />
    </div>
  );
}
