import { type ReactNode, useEffect, useRef } from "react";

interface TableProps {
  label: string;
  head: readonly ReactNode[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  /** Said in place of rows. */
  empty?: ReactNode;
}

/** A few rows that need neither search nor scrolling of their own. Lists that can be long are a DataList. */
export function Table({ label, head, rows, empty }: TableProps) {
  const box = useRef<HTMLElement>(null);
  const focused = useRef(false);
  // Who pressed a button of a row that is gone goes on from the table, not from the top of the page.
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows that went are what may have taken the focus along
  useEffect(() => {
    if (focused.current && document.activeElement === document.body) box.current?.focus();
  }, [rows]);
  return (
    <section
      ref={box}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways on narrow screens is reached by keys
      tabIndex={0}
      onFocus={() => {
        focused.current = true;
      }}
      onBlur={() => {
        focused.current = false;
      }}
      className="relative overflow-x-auto rounded border border-line bg-surface"
    >
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
