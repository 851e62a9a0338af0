/** The numbers of a chart, for those who cannot or do not want to see it. */
export type Rows = { columns: readonly string[]; rows: readonly (readonly (string | number | null)[])[] };

export function ChartTable({ label, columns, rows }: Rows & { label: string }) {
  return (
    <div className="h-full overflow-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="w-full text-left text-sm">
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                className="sticky top-0 border-b border-line bg-surface px-3 py-1.5 text-xs font-medium text-muted"
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index} className="hover:bg-hover">
              {row.map((cell, at) => (
                <td key={at} className="border-b border-line px-3 py-1.5">
                  {cell ?? "–"}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
