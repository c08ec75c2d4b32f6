import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { Kbd } from "../Kbd";

/** Says that rows came in, and shows them when asked: nothing moves under the reader. Its space is there without any. */
export function NewRows({ n, onShow }: { n: number; onShow(): void }) {
  useShortcuts([{ keys: ".", label: t("keys.showNew"), run: onShow }], n > 0);
  return (
    <div role="status" className="pointer-events-none relative z-20 h-0">
      {n > 0 && (
        <button
          type="button"
          onClick={onShow}
          className="pointer-events-auto absolute top-8 left-1/2 flex h-7 -translate-x-1/2 items-center gap-2 rounded-full border border-line bg-ink px-3 text-paper shadow-float"
        >
          {t("list.new", { n })} <Kbd keys="." />
        </button>
      )}
    </div>
  );
}
