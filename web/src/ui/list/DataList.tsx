import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, useCallback, useEffect, useRef } from "react";
import { t } from "@/lib/i18n";
import { density } from "@/lib/preferences";
import { useStore } from "@/lib/store";
import { Checkbox } from "../Choice";
import { cx } from "../cx";
import { useListKeys } from "./keys";

export interface Column<Row> {
  id: string;
  header: ReactNode;
  /** Width as a track of a CSS grid: "6rem", "minmax(10rem, 2fr)". */
  width: string;
  /** Numbers stand at the right. */
  align?: "end";
  /** Left out when the list is narrower than 34 rem. */
  wide?: boolean;
  cell(row: Row): ReactNode;
}

export interface DataListProps<Row> {
  /** Name of the list for screen readers. */
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  /** Identity of a row; stable while it is in the list. */
  id(row: Row): string;
  /** The row whose detail is open. */
  open?: string;
  /** Opens a row: enter, click. Without it rows only can be read. */
  onOpen?(row: Row): void;
  /** Marked rows; with onMark, rows can be marked (x, checkbox). */
  marked?: ReadonlySet<string>;
  onMark?(marked: ReadonlySet<string>): void;
  /** There are more rows; onMore is called when the reader comes near the end. */
  more?: boolean;
  loadingMore?: boolean;
  onMore?(): void;
  /** Between header and rows: the bar of new rows. */
  notice?: ReactNode;
  /** Shown in place of rows where there are none. */
  empty?: ReactNode;
  /** Told when the reader leaves the top or comes back: new rows are put in only there. */
  onTop?(atTop: boolean): void;
  /** Keys j, k, x, Enter act on this list. One list of a page at a time. */
  keys?: boolean;
  className?: string;
}

const heights = { normal: 32, compact: 26 };

/** A list of any length: only the rows in sight are drawn. A grid for screen readers; rows are reached by arrows or j and k. */
export function DataList<Row>(props: DataListProps<Row>) {
  const { rows, columns, id, open, onOpen, marked, onMark, more, loadingMore, onMore, onTop, keys = true } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = heights[useStore(density)];
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: useCallback((index: number) => id(rows[index]!), [rows, id]),
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows are measured anew when their height changes
  useEffect(() => virtual.measure(), [rowHeight, virtual]);

  const toggle = (row: Row) => {
    if (!onMark) return;
    const next = new Set(marked);
    if (!next.delete(id(row))) next.add(id(row));
    onMark(next);
  };
  const focus = useListKeys({
    rows,
    id,
    open,
    onOpen,
    onToggle: onMark && toggle,
    active: keys,
    show: (index) => virtual.scrollToIndex(index),
    scroller,
  });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (more && !loadingMore && last >= rows.length - 20) onMore?.();
  }, [more, loadingMore, last, rows.length, onMore]);

  const tracks = (shown: readonly Column<Row>[]) =>
    [onMark ? "28px" : "", ...shown.map((column) => column.width)].join(" ");
  const grid = {
    "--tracks": tracks(columns),
    "--tracks-narrow": tracks(columns.filter((column) => !column.wide)),
  } as CSSProperties;
  const line = "grid grid-cols-(--tracks-narrow) items-center gap-x-3 px-3 @min-[34rem]:grid-cols-(--tracks)";
  return (
    <div className={cx("@container flex min-h-0 min-w-0 flex-1 flex-col", props.className)} style={grid}>
      {props.notice}
      <div
        ref={scroller}
        role="grid"
        aria-label={props.label}
        aria-rowcount={more ? -1 : rows.length + 1}
        aria-colcount={columns.length + (onMark ? 1 : 0)}
        aria-multiselectable={onMark ? true : undefined}
        className={cx("overflow-auto outline-none", rows.length > 0 ? "min-h-0 flex-1" : "shrink-0")}
        onScroll={(event) => onTop?.(event.currentTarget.scrollTop < rowHeight)}
      >
        {/* biome-ignore lint/a11y/useFocusableInteractive: the header is not reached by keys; its controls are */}
        <div
          role="row"
          aria-rowindex={1}
          className={cx(line, "sticky top-0 z-10 h-7 border-line border-b bg-paper text-ink-3 text-xs")}
        >
          {onMark && (
            // biome-ignore lint/a11y/useFocusableInteractive: the checkbox in it is focusable
            <span role="columnheader">
              <Checkbox
                label={t("list.selectAll")}
                labelHidden
                checked={rows.length > 0 && rows.every((row) => marked?.has(id(row)))}
                mixed={rows.some((row) => marked?.has(id(row))) && !rows.every((row) => marked?.has(id(row)))}
                onChange={(on) => onMark(new Set(on ? rows.map(id) : []))}
              />
            </span>
          )}
          {columns.map((column) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the header is not reached by keys
            <span
              key={column.id}
              role="columnheader"
              className={cx(
                "truncate",
                column.align === "end" && "text-end",
                column.wide && "hidden @min-[34rem]:block",
              )}
            >
              {column.header}
            </span>
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index]!;
            const key = id(row);
            return (
              <div
                key={item.key}
                role="row"
                data-row={key}
                aria-rowindex={item.index + 2}
                aria-selected={onMark ? (marked?.has(key) ?? false) : key === open}
                aria-current={key === open ? true : undefined}
                tabIndex={focus.tabIndex(item.index)}
                onFocus={() => focus.at(item.index)}
                onKeyDown={(event) => focus.onKeyDown(event, item.index)}
                onClick={(event) => {
                  if (!(event.target as Element).closest("button, a, label, input")) onOpen?.(row);
                }}
                className={cx(
                  line,
                  "absolute inset-x-0 top-0 h-(--row) border-line border-b outline-none focus-visible:outline-2 focus-visible:-outline-offset-2 focus-visible:outline-focus",
                  onOpen && "hover:bg-sunken",
                  key === open && "bg-selected hover:bg-selected",
                )}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {onMark && (
                  // biome-ignore lint/a11y/useFocusableInteractive: rows are focused, cells are not
                  <span role="gridcell" className="flex">
                    <Checkbox
                      label={t("list.select")}
                      labelHidden
                      checked={marked?.has(key) ?? false}
                      onChange={() => toggle(row)}
                    />
                  </span>
                )}
                {columns.map((column) => (
                  // biome-ignore lint/a11y/useFocusableInteractive: rows are focused, cells are not
                  <span
                    key={column.id}
                    role="gridcell"
                    className={cx(
                      "min-w-0 truncate",
                      column.align === "end" && "text-end",
                      column.wide && "hidden @min-[34rem]:block",
                    )}
                  >
                    {column.cell(row)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {rows.length > 0 ? (
        <p role="status" className="shrink-0 border-line border-t px-3 py-1 text-ink-3 text-xs">
          {more ? t("list.more") : t("list.rows", { n: rows.length })}
        </p>
      ) : (
        // A sentence is no row: it stands beside the grid.
        <div className="min-h-0 flex-1 overflow-auto">{props.empty}</div>
      )}
    </div>
  );
}
