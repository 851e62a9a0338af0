import { plural } from "@/format";
import { type Place, pathText } from "../spec/places";

type Props = { problems: readonly Place[]; onShow?: (place: Place) => void };

/** Problems of the task, each a link to its field. */
export function Problems({ problems, onShow }: Props) {
  return (
    <section aria-live="polite">
      <h3 className="mb-1.5 text-sm font-medium">
        {plural(problems.length, "thing")} to mend before it can run
      </h3>
      <ul className="-mx-2 space-y-0.5">
        {problems.map((place, at) => (
          <li key={at}>
            <button
              type="button"
              disabled={!onShow}
              onClick={() => onShow?.(place)}
              className="focus-inset w-full rounded-md px-2 py-1.5 text-left text-sm hover:bg-hover"
            >
              <span className="block text-xs text-muted">
                {place.where ? pathText(place.where) : "The whole"}
                {place.line !== null && <span className="num"> · line {place.line}</span>}
              </span>
              <span className="break-words text-bad">{place.message}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
