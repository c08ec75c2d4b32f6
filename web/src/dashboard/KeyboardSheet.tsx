import { t } from "@/lib/i18n";
import { shortcuts } from "@/lib/keyboard";
import { useStore } from "@/lib/store";
import { Dialog } from "@/ui/Dialog";
import { Kbd } from "@/ui/Kbd";

/** Every key that is bound at the moment, the page's first. */
export default function KeyboardSheet({ onClose }: { onClose(): void }) {
  const bound = useStore(shortcuts);
  const shown = bound.filter((s, i) => bound.findIndex((other) => other.keys === s.keys) === i);
  return (
    <Dialog open onClose={onClose} title={t("keys.title")} text={t("keys.note")} size="medium">
      <ul className="grid gap-x-8 gap-y-1.5 sm:grid-cols-2">
        {shown.map((s) => (
          <li key={s.keys} className="flex items-center justify-between gap-4">
            <span>{s.label}</span>
            <Kbd keys={s.keys} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
