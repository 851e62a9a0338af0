import { percent } from "@/format";
import { valueText } from "../params";
import type { Effect } from "../types";

/** Table of a parameter's values: experiments, relative performance, failures. */
export function EffectValues({ effect }: { effect: Effect }) {
  return (
    <table className="w-full text-right text-sm">
      <caption className="pb-1 text-left text-xs font-medium text-muted">Values of {effect.name}</caption>
      <thead className="text-xs text-muted">
        <tr className="[&>th]:pb-1 [&>th]:font-medium">
          <th scope="col" className="text-left">
            Value
          </th>
          <th scope="col">Of the best</th>
          <th scope="col">Experiments</th>
          <th scope="col">Failed</th>
        </tr>
      </thead>
      <tbody>
        {effect.values.map((one) => (
          <tr key={String(one.value)} className="border-t border-line [&>*]:py-1">
            <th scope="row" className="break-all text-left font-normal">
              {valueText(one.value)}
            </th>
            <td className="font-medium">
              {one.relative === null ? "–" : percent(one.relative, { digits: 0 })}
            </td>
            <td>{one.experiments}</td>
            <td className={one.failed > 0 ? "text-bad" : "text-faint"}>{one.failed}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
