import { PanelLeftClose, PanelLeftOpen, Search } from "lucide-react";
import { Link } from "react-router";
import { cx, IconButton, Kbd, Tooltip } from "@/kit";
import { NavLinks } from "./NavLinks";
import { Logo } from "./Logo";
import { openPalette } from "./commands";
import { useSidebar } from "./sidebarState";
import { ThemeSwitch } from "./ThemeSwitch";
import { AssistantStatus } from "./AssistantStatus";

export function Sidebar() {
  const { folded, toggle } = useSidebar();
  return (
    <aside
      className={cx(
        "hidden shrink-0 flex-col border-r border-line bg-sunken md:flex",
        folded ? "w-13 items-center px-2" : "w-52 px-3",
        "py-3",
      )}
    >
      <div className={cx("flex w-full items-center", folded ? "flex-col gap-2" : "justify-between pl-1.5")}>
        <Link
          to="/"
          className="flex items-center gap-2 rounded-md text-base font-semibold tracking-tight"
          aria-label="Autotuner, to the chat"
        >
          <Logo />
          {!folded && "Autotuner"}
        </Link>
        <IconButton
          size="sm"
          label={folded ? "Unfold the sidebar" : "Fold the sidebar"}
          icon={folded ? <PanelLeftOpen className="size-4" /> : <PanelLeftClose className="size-4" />}
          onClick={toggle}
        />
      </div>
      <Tooltip text="Go to anything" keys="mod+k" side="right">
        <button
          type="button"
          onClick={openPalette}
          aria-label="Search and commands"
          className={cx(
            "mb-3 mt-3 flex h-8 items-center gap-2 rounded-md border border-line bg-surface text-sm text-faint hover:text-text",
            folded ? "w-8 justify-center" : "w-full px-2",
          )}
        >
          <Search className="size-4 shrink-0" aria-hidden="true" />
          {!folded && (
            <>
              <span className="flex-1 text-left">Search</span>
              <Kbd keys="mod+k" />
            </>
          )}
        </button>
      </Tooltip>
      <NavLinks folded={folded} />
      <div
        className={cx("mt-auto flex w-full gap-1.5 pt-3", folded ? "flex-col items-center" : "items-center")}
      >
        <AssistantStatus folded={folded} />
        <ThemeSwitch />
      </div>
    </aside>
  );
}
