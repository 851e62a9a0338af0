import { Link, useLocation } from "react-router";
import { cx, Tooltip } from "@/kit";
import { isActive, NAVIGATION } from "./navigation";

export function NavLinks({ folded }: { folded: boolean }) {
  const { pathname } = useLocation();
  return (
    <nav aria-label="Main" className="flex w-full flex-col gap-0.5">
      {NAVIGATION.map((place) => {
        const here = isActive(pathname, place);
        const link = (
          <Link
            key={place.to}
            to={place.to}
            aria-current={here ? "page" : undefined}
            aria-label={folded ? place.name : undefined}
            className={cx(
              "flex h-8 items-center gap-2.5 rounded-md text-sm font-medium",
              folded ? "w-8 justify-center self-center" : "px-2",
              here ? "bg-active text-text" : "text-muted hover:bg-hover hover:text-text",
            )}
          >
            <place.icon className={cx("size-4 shrink-0", here && "text-accent-text")} aria-hidden="true" />
            {!folded && place.name}
          </Link>
        );
        return folded ? (
          <Tooltip key={place.to} text={place.name} side="right">
            {link}
          </Tooltip>
        ) : (
          link
        );
      })}
    </nav>
  );
}
