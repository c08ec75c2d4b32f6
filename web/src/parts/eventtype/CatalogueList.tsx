import type { ReactNode } from "react";
import { t } from "@/lib/i18n";
import { cx } from "@/ui/cx";
import { grouped } from "./catalogue";
import type { EventType } from "./queries";

interface CatalogueListProps {
  types: readonly EventType[];
  /** Words that must be in name, group or description. */
  find?: string;
  open?: string;
  onOpen(name: string): void;
  /** In place of rows where there are none. */
  empty?: ReactNode;
}

/** Event types by group. */
export function CatalogueList({ types, find, open, onOpen, empty }: CatalogueListProps) {
  const groups = grouped(types, find);
  if (groups.length === 0) return empty;
  return (
    <nav aria-label={t("nav.eventTypes")} className="min-h-0 flex-1 overflow-y-auto">
      {groups.map((group) => (
        <section key={group.name} aria-label={group.name}>
          <h2 className="data sticky top-0 z-10 border-line border-b bg-sunken px-3 py-1 text-ink-2">{group.name}</h2>
          <ul>
            {group.types.map((type) => (
              <li key={type.name}>
                <button
                  type="button"
                  aria-current={type.name === open ? true : undefined}
                  onClick={() => onOpen(type.name)}
                  className={cx(
                    "flex min-h-(--row) w-full items-center gap-3 border-line border-b px-3 py-1 text-left focus-visible:-outline-offset-2",
                    type.name === open ? "bg-selected" : "hover:bg-sunken",
                  )}
                >
                  <span className="data shrink-0 break-all">{type.name}</span>
                  <span className="min-w-0 flex-1 truncate text-ink-3">{type.description}</span>
                  {type.deprecated && <span className="shrink-0 text-retrying text-xs">{t("type.deprecated")}</span>}
                  {type.archived && <span className="shrink-0 text-ink-3 text-xs">{t("type.archived")}</span>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
