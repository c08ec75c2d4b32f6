import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import { cx } from "./cx";

interface TabsProps<T extends string> {
  /** The open tab: a search parameter of the page. */
  value: T;
  onChange(value: T): void;
  tabs: readonly { value: T; label: ReactNode; count?: number }[];
  /** Name of the group. */
  label: string;
  /** What the open tab shows. */
  children: ReactNode;
  className?: string;
}

/** Parts of one thing, one at a time. Only the open one is drawn. */
export function Tabs<T extends string>({ value, onChange, tabs, label, children, className }: TabsProps<T>) {
  return (
    <Base.Root
      value={value}
      onValueChange={(next) => onChange(next as T)}
      className={cx("flex min-h-0 flex-col", className)}
    >
      <Base.List aria-label={label} className="flex shrink-0 gap-1 overflow-x-auto border-line border-b px-3">
        {tabs.map((tab) => (
          <Base.Tab
            key={tab.value}
            value={tab.value}
            className="-mb-px h-9 shrink-0 whitespace-nowrap border-transparent border-b-2 px-2 text-ink-2 hover:text-ink focus-visible:-outline-offset-2 data-active:border-ink data-active:font-medium data-active:text-ink"
          >
            {tab.label}
            {tab.count !== undefined && <span className="data ml-1.5 text-ink-3">{tab.count}</span>}
          </Base.Tab>
        ))}
      </Base.List>
      <Base.Panel value={value} className="min-h-0 flex-1 overflow-auto outline-none">
        {children}
      </Base.Panel>
    </Base.Root>
  );
}
