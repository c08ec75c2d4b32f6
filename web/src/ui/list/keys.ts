// The keyboard of a list: one row is reached by Tab, the others from it.
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";

interface ListKeys<Row> {
  rows: readonly Row[];
  id(row: Row): string;
  open?: string;
  onOpen?(row: Row): void;
  onToggle?(row: Row): void;
  /** Whether the page's keys act on this list. */
  active: boolean;
  /** Scrolls a row into sight. */
  show(index: number): void;
  scroller: RefObject<HTMLElement | null>;
}

/** Where the focus is in a list, kept to the same row when rows come in before it. */
export function useListKeys<Row>({ rows, id, open, onOpen, onToggle, active, show, scroller }: ListKeys<Row>) {
  const [at, setAt] = useState<string | undefined>(open);
  const wanted = useRef<string | undefined>(undefined);
  const found = at === undefined ? -1 : rows.findIndex((row) => id(row) === at);
  const here = Math.max(found, 0);

  // A row that was out of sight is drawn first and focused then.
  useEffect(() => {
    if (wanted.current === undefined) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(wanted.current)}"]`);
    if (!row) return;
    wanted.current = undefined;
    row.focus({ preventScroll: true });
  });

  const go = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    wanted.current = id(row);
    setAt(id(row));
    show(rows.indexOf(row));
    if (open !== undefined) onOpen?.(row); // the detail follows
  };
  const step = (by: number) => go(found < 0 ? 0 : here + by);
  const current = () => rows[here];

  useShortcuts(
    [
      { keys: "j", label: t("keys.next"), run: () => step(1) },
      { keys: "k", label: t("keys.previous"), run: () => step(-1) },
      ...(onToggle
        ? [
            {
              keys: "x",
              label: t("keys.mark"),
              run: () => {
                const row = current();
                if (row !== undefined) onToggle(row);
              },
            },
          ]
        : []),
    ],
    active,
  );

  const onKeyDown = (event: KeyboardEvent, index: number) => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 320) / 32) - 1);
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: rows.length - 1,
    };
    const row = rows[index];
    if (event.key === "Enter" && row !== undefined) onOpen?.(row);
    else if (event.key === " " && row !== undefined && onToggle) onToggle(row);
    else if (moves[event.key] !== undefined) go(moves[event.key]!);
    else return;
    event.preventDefault();
  };

  return {
    at: (index: number) => setAt(rows[index] === undefined ? undefined : id(rows[index]!)),
    tabIndex: (index: number) => (index === here ? 0 : -1),
    onKeyDown,
  };
}
