import { Ellipsis } from "lucide-react";
import { Link, useLocation, useNavigate } from "react-router";
import { cx, Menu } from "@/kit";
import { choose, useTheme } from "@/state/theme";
import { openPalette } from "./commands";
import { isActive, NAVIGATION } from "./navigation";

const FIRST = 4;
const ITEM =
  "focus-inset flex h-13 flex-1 flex-col items-center justify-center gap-0.5 text-xs font-medium aria-[current=page]:text-accent-text text-muted";

/** Navigation on small screens, at the bottom. */
export function BottomBar() {
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const theme = useTheme();
  const rest = NAVIGATION.slice(FIRST);
  return (
    <nav
      aria-label="Main"
      className="flex shrink-0 border-t border-line bg-sunken pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {NAVIGATION.slice(0, FIRST).map((place) => (
        <Link
          key={place.to}
          to={place.to}
          aria-current={isActive(pathname, place) ? "page" : undefined}
          className={ITEM}
        >
          <place.icon className="size-5" aria-hidden="true" />
          {place.name}
        </Link>
      ))}
      <Menu
        label="More"
        side="top"
        trigger={
          <button
            type="button"
            className={cx(ITEM, rest.some((place) => isActive(pathname, place)) && "text-accent-text")}
          >
            <Ellipsis className="size-5" aria-hidden="true" />
            More
          </button>
        }
        items={[
          ...rest.map((place) => ({
            label: place.name,
            icon: <place.icon />,
            onSelect: () => void navigate(place.to),
          })),
          "line",
          { label: "Search", onSelect: openPalette },
          {
            label: theme === "dark" ? "Light theme" : "Dark theme",
            onSelect: () => choose(theme === "dark" ? "light" : "dark"),
          },
        ]}
      />
    </nav>
  );
}
