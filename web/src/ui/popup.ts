/** How menus and lists that open look. */
export const popupLook =
  "opens max-h-(--available-height) max-w-[min(28rem,calc(100vw-1rem))] overflow-y-auto rounded border border-line bg-surface py-1 shadow-float outline-none";

/** How a row in them looks. */
export const itemLook =
  "flex min-h-7 select-none items-start gap-2 px-2.5 py-1 outline-none data-highlighted:bg-selected data-disabled:text-ink-3";
