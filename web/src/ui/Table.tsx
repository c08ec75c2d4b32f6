import type { ReactNode } from "react";

interface TableProps {
  label: string;
  head: readonly ReactNode[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  /** Said in place of rows. */
  empty?: ReactNode;
}

/** A few rows that need neither search nor scrolling of their own. Lists that can be long are a DataList. */
export function Table({ label, head, rows, empty }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways on narrow screens is reached by keys
    <section aria-label={label} tabIndex={0} className="relative overflow-x-auto rounded border border-line bg-surface">
      <table className="w-full border-collapse text-left">
        <thead className="text-ink-3 text-xs">
          <tr className="border-line border-b">
            {head.map((title, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns have a fixed order
              <th key={i} scope="col" className="whitespace-nowrap px-3 py-1.5 font-normal">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns have a fixed order
                <td key={i} className="px-3 py-1.5 align-middle">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && empty !== undefined && <p className="px-3 py-3 text-ink-2">{empty}</p>}
    </section>
  );
}
