import { type ReactNode, useEffect } from "react";
import { cx } from "./cx";

interface PageProps {
  title: string;
  /** At the right of the title: time range, the primary action. */
  actions?: ReactNode;
  /** One sentence under the title, for pages that need it. */
  text?: ReactNode;
  /** Fills the height, for lists that scroll by themselves. */
  fill?: boolean;
  children: ReactNode;
}

/** A page of the shell: its title, also of the window, its actions and what is in it. */
export function Page({ title, actions, text, fill, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Grapnel`;
  }, [title]);
  return (
    <div className={cx("flex min-w-0 flex-col", fill && "h-full min-h-0")}>
      <header className="flex shrink-0 flex-wrap items-center gap-x-4 gap-y-2 px-4 pt-3 pb-2">
        <h1 className="min-w-0 flex-1 basis-40 truncate font-semibold text-xl">{title}</h1>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        {text !== undefined && (
          <div className="w-full text-base text-ink-2">
            <p className="max-w-3xl">{text}</p>
          </div>
        )}
      </header>
      <div className={cx(fill ? "flex min-h-0 flex-1 flex-col" : "px-4 pb-8")}>{children}</div>
    </div>
  );
}

/** A part of a page under a heading of its own. */
export function Section({
  title,
  actions,
  text,
  children,
}: {
  title: ReactNode;
  actions?: ReactNode;
  text?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="border-line border-t py-4 first:border-t-0">
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <h2 className="flex-1 font-semibold text-base">{title}</h2>
        {actions}
      </div>
      {text !== undefined && <p className="mb-3 max-w-3xl text-ink-2">{text}</p>}
      {children}
    </section>
  );
}

/** Names and values under each other, aligned. Absent values are left out. */
export function Facts({
  items,
  className,
}: {
  items: readonly (readonly [label: ReactNode, value: ReactNode] | false)[];
  className?: string;
}) {
  return (
    <dl className={cx("grid grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1", className)}>
      {items
        .filter((item) => item !== false && item[1] !== undefined && item[1] !== null && item[1] !== "")
        .map((item, i) => {
          const [label, value] = item as readonly [ReactNode, ReactNode];
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: facts have a fixed order
            <div key={i} className="contents">
              <dt className="text-ink-3">{label}</dt>
              <dd className="min-w-0 [&_time]:whitespace-normal">{value}</dd>
            </div>
          );
        })}
    </dl>
  );
}
