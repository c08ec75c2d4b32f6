import { t } from "@/lib/i18n";
import { Mark } from "@/ui/Status";
import { marksOf, type Row, stateOf } from "./attempts";

/** How the deliveries of a message stand: a mark for each, and the count in words. */
export function DeliveryMarks({ row }: { row: Row }) {
  const { total, delivered } = row.deliveries;
  if (total === 0) return <span className="text-ink-3">{t("msg.noEndpoint")}</span>;
  const state = stateOf(row);
  return (
    <span className="flex items-center gap-1.5">
      <span className="flex gap-0.5">
        {marksOf(row).map((status, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: marks have no identity
          <Mark key={i} status={status} />
        ))}
      </span>
      <span className="sr-only">{t("msg.of", { done: delivered, total })}, </span>
      <span aria-hidden className="data text-ink-2">
        {delivered}/{total}
      </span>
      <span className="truncate text-ink-3">{t(`state.${state}`)}</span>
    </span>
  );
}
