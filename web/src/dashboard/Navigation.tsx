import { Dialog } from "@base-ui/react/dialog";
import { t } from "@/lib/i18n";
import { cx } from "@/ui/cx";
import { PlainLink } from "@/ui/Link";
import { Logo } from "@/ui/Logo";
import { navigation } from "./nav";
import { useMay } from "./session";

/** The pages, in groups. */
export function Navigation({ className, onGo }: { className?: string; onGo?(): void }) {
  const admin = useMay("admin");
  return (
    <nav aria-label={t("nav.label")} className={cx("py-2", className)}>
      {navigation.map((group, i) => (
        <div key={group.label ?? i} className="mb-3">
          {group.label && <h2 className="px-4 pt-1 pb-1 text-ink-3 text-xs">{t(group.label)}</h2>}
          <ul>
            {group.items
              .filter((item) => !item.role || admin)
              .map(({ to, label, icon: Icon }) => (
                <li key={to}>
                  <PlainLink
                    to={to}
                    onClick={onGo}
                    activeOptions={{ exact: to === "/", includeSearch: false }}
                    className="mx-2 flex h-8 items-center gap-2 rounded px-2 text-ink-2 hover:bg-sunken hover:text-ink data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-ink"
                  >
                    <Icon aria-hidden size={16} strokeWidth={1.5} className="shrink-0" />
                    <span className="truncate">{t(label)}</span>
                  </PlainLink>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** The navigation on narrow screens, opened over the page. */
export function Drawer({ open, onClose }: { open: boolean; onClose(): void }) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Dialog.Popup className="opens fixed inset-y-0 start-0 z-40 w-64 max-w-[85vw] overflow-y-auto border-line border-e bg-surface shadow-float outline-none">
          <Dialog.Title className="flex h-11 items-center gap-2 border-line border-b px-4 font-semibold text-base">
            <Logo size={20} /> Grapnel
          </Dialog.Title>
          <Navigation onGo={onClose} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
