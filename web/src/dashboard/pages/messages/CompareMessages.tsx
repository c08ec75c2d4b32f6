import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { t } from "@/lib/i18n";
import type { Row } from "@/parts/message/attempts";
import { bodyState, ownerOf } from "@/parts/message/attempts";
import { bodyQuery, messageQuery } from "@/parts/message/queries";
import { IconButton } from "@/ui/Button";
import { DiffView } from "@/ui/payload";
import { ErrorState } from "@/ui/States";

/** The payloads of two messages, one against the other. */
export function CompareMessages({ left, right, onClose }: { left: string; right: string; onClose(): void }) {
  const a = useSide(left);
  const b = useSide(right);
  const error = a.error ?? b.error;
  return (
    <>
      <header className="flex items-center gap-2 px-3 py-2">
        <h2 className="flex-1 font-semibold text-lg">{t("msg.compare.title")}</h2>
        <IconButton icon={X} label={t("attempt.compare.end")} onClick={onClose} />
      </header>
      {error ? (
        <ErrorState error={error} />
      ) : (
        <DiffView label={t("msg.compare.title")} left={a.side} right={b.side} height="fill" />
      )}
    </>
  );
}

function useSide(id: string) {
  const message = useQuery(messageQuery(id));
  const row: Row | undefined = message.data;
  const body = useQuery(
    bodyQuery(row ? ownerOf(row) : "", id, row !== undefined && !row.payloadHidden && !row.payloadExpired),
  );
  return {
    error: message.error ?? body.error,
    side: {
      label: row ? `${row.eventType} ${id}` : id,
      bytes: body.data ?? null,
      state: row ? bodyState(row, body.data === undefined) : ("loading" as const),
      contentType: row?.contentType,
    },
  };
}
