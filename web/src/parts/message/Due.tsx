import { t } from "@/lib/i18n";
import { useStore } from "@/lib/store";
import { now, Time } from "@/ui/Time";

/** When something is due. What is due already waits for its turn: it is due now, however long ago that began. */
export function Due({ at }: { at: string }) {
  const from = useStore(now);
  return new Date(at) <= from ? (
    <span className="text-ink-2">{t("word.now")}</span>
  ) : (
    <Time at={at} className="text-ink-2" />
  );
}
