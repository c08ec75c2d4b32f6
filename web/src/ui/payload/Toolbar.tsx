import type { ReactNode } from "react";

/** The row over a view: what one can do in it, and at the right what one can do with the whole. */
export function Toolbar({ children, actions }: { children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="flex min-h-10 shrink-0 flex-wrap items-center gap-1 border-line border-b px-2 py-1">
      {children}
      <span className="ml-auto flex flex-wrap items-center gap-1">{actions}</span>
    </div>
  );
}
