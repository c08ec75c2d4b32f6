import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useSession } from "@/dashboard/session";
import { shortId } from "@/lib/format";
import { t } from "@/lib/i18n";
import { IconButton } from "@/ui/Button";
import { DiffView, HeaderTable } from "@/ui/payload";
import { ErrorState, Skeleton } from "@/ui/States";
import { bodyState, headersOf } from "./body";
import { bodyQuery, requestQuery } from "./queries";

/** Headers and bodies of two requests, one against the other. */
export function CompareRequests({ left, right, onClose }: { left: string; right: string; onClose(): void }) {
  const a = useSide(left);
  const b = useSide(right);
  const error = a.error ?? b.error;
  return (
    <>
      <header className="flex items-center gap-2 px-3 py-2">
        <h2 className="flex-1 font-semibold text-lg">{t("req.compare.title")}</h2>
        <IconButton icon={X} label={t("attempt.compare.end")} onClick={onClose} />
      </header>
      {error ? (
        <ErrorState error={error} />
      ) : !a.request || !b.request ? (
        <Skeleton className="p-3" />
      ) : (
        <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-auto">
          <DiffView label={t("req.compare.bodies")} left={a.side} right={b.side} />
          <HeaderTable
            label={t("req.tab.headers")}
            headers={headersOf(a.request)}
            other={headersOf(b.request)}
            sides={[shortId(left), shortId(right)]}
          />
        </div>
      )}
    </>
  );
}

function useSide(id: string) {
  const hidden = useSession().data?.member?.mayReadPayloads === false;
  const request = useQuery(requestQuery(id));
  const body = useQuery(bodyQuery(request.data, !hidden && request.data?.bodyGone === false));
  return {
    error: request.error ?? body.error,
    request: request.data,
    side: {
      label: request.data ? `${request.data.eventType || request.data.reason} ${shortId(id)}` : id,
      bytes: body.data ?? null,
      state: bodyState(request.data, hidden, body.data !== undefined),
      contentType: request.data?.contentType,
    },
  };
}
