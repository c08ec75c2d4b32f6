import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { useNavigate } from "@tanstack/react-router";
import { ArrowRight, CircleHelp, Moon, Rows3, Search, Sun } from "lucide-react";
import { useMemo, useState } from "react";
import { t } from "@/lib/i18n";
import { density, theme } from "@/lib/preferences";
import { keepInList, recallList } from "@/lib/storage";
import { Kbd } from "@/ui/Kbd";
import { itemLook } from "@/ui/popup";
import { pageOf } from "./jump";
import { navItems } from "./nav";

interface Command {
  label: string;
  icon: typeof Search;
  keys?: string;
  run(): void;
}

interface Group {
  value: string;
  items: Command[];
}

/** ⌘K: pages, actions, what was searched before, and any id. */
export default function CommandPalette({ onClose, onHelp }: { onClose(): void; onHelp(): void }) {
  const [text, setText] = useState("");
  const navigate = useNavigate();
  const groups = useMemo<Group[]>(() => {
    const wanted = text.trim();
    const has = (command: Command) => command.label.toLowerCase().includes(wanted.toLowerCase());
    const search = (q: string) => void navigate({ to: "/messages", search: { q } });
    const page = pageOf(wanted);
    const found: Group[] = [
      {
        value: t("palette.ids"),
        items: page
          ? [
              {
                label: t("palette.open", { id: wanted }),
                icon: ArrowRight,
                run: () => void navigate({ to: page, search: { open: wanted } }),
              },
            ]
          : [],
      },
      {
        value: t("palette.pages"),
        items: navItems
          .map((item) => ({
            label: t(item.label),
            icon: item.icon,
            keys: `g ${item.key}`,
            run: () => void navigate({ to: item.to }),
          }))
          .filter(has),
      },
      {
        value: t("palette.actions"),
        items: [
          { label: t("theme.light"), icon: Sun, run: () => theme.set("light") },
          { label: t("theme.dark"), icon: Moon, run: () => theme.set("dark") },
          {
            label: density.get() === "normal" ? t("density.compact") : t("density.normal"),
            icon: Rows3,
            run: () => density.set(density.get() === "normal" ? "compact" : "normal"),
          },
          { label: t("keys.title"), icon: CircleHelp, keys: "?", run: onHelp },
        ].filter(has),
      },
      {
        value: t("palette.recent"),
        items: recallList("recent")
          .map((recent) => ({ label: recent, icon: Search, run: () => search(recent) }))
          .filter(has)
          .slice(0, 5),
      },
    ];
    if (wanted && !page) {
      found.push({
        value: t("nav.messages"),
        items: [
          {
            label: t("palette.search", { text: wanted }),
            icon: Search,
            run: () => {
              keepInList("recent", wanted, 20);
              search(wanted);
            },
          },
        ],
      });
    }
    return found.filter((group) => group.items.length > 0);
  }, [text, navigate, onHelp]);

  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Dialog.Popup
          aria-label={t("palette.title")}
          className="opens fixed inset-x-3 top-[12vh] z-40 mx-auto flex max-h-[70vh] max-w-xl flex-col overflow-hidden rounded-md border border-line bg-surface shadow-float outline-none"
        >
          <Autocomplete.Root
            open
            inline
            items={groups}
            value={text}
            onValueChange={setText}
            mode="none"
            autoHighlight="always"
            itemToStringValue={(command: Command) => command.label}
          >
            <div className="flex items-center gap-2 border-line border-b px-3">
              <Search aria-hidden size={16} strokeWidth={1.5} className="text-ink-3" />
              <Autocomplete.Input
                placeholder={t("palette.placeholder")}
                aria-label={t("palette.title")}
                className="h-11 min-w-0 flex-1 bg-transparent text-base outline-none"
              />
            </div>
            <Autocomplete.Empty className="text-ink-3 not-empty:p-4">{t("palette.none")}</Autocomplete.Empty>
            <Autocomplete.List className="overflow-y-auto py-1">
              {(group: Group) => (
                <Autocomplete.Group key={group.value} items={group.items}>
                  <Autocomplete.GroupLabel className="px-3 pt-2 pb-0.5 text-ink-3 text-xs">
                    {group.value}
                  </Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(command: Command) => (
                      <Autocomplete.Item
                        key={command.label}
                        value={command}
                        className={`${itemLook} items-center px-3`}
                        onClick={() => {
                          onClose();
                          command.run();
                        }}
                      >
                        <command.icon aria-hidden size={16} strokeWidth={1.5} className="shrink-0 text-ink-3" />
                        <span className="min-w-0 flex-1 truncate">{command.label}</span>
                        {command.keys && <Kbd keys={command.keys} />}
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
