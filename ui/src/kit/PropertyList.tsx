import type { ReactNode } from "react";
import { cx } from "./cx";

type Props = {
  title?: string;
  properties: readonly (readonly [name: string, value: ReactNode])[];
  /** Said where there are none. */
  empty?: string;
  /** Names are flags. */
  mono?: boolean;
};

/** Names and values, in two columns. */
export function PropertyList({ title, properties, empty, mono }: Props) {
  return (
    <section aria-label={title}>
      {title && <h3 className="mb-1 text-xs font-medium text-muted">{title}</h3>}
      {properties.length === 0 ? (
        <p className="text-sm text-muted">{empty}</p>
      ) : (
        <dl className="grid grid-cols-[minmax(5.5rem,2fr)_5fr] text-sm">
          {properties.map(([name, value]) => (
            <div key={name} className="col-span-2 grid grid-cols-subgrid border-t border-line py-1">
              <dt
                className={cx(
                  "break-words pr-3 text-muted",
                  mono ? "font-mono text-xs leading-5" : "first-letter:uppercase",
                )}
              >
                {name}
              </dt>
              <dd className="num min-w-0 break-words">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
