import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@/lib/api";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { DeliveryMarks } from "@/parts/message/DeliveryMarks";
import { Link, PlainLink } from "@/ui/Link";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { endpointsQuery, recentQuery } from "./queries";

type App = Schema<"ApplicationOut">;
const row = "flex min-h-(--row) items-center gap-3 border-line border-b px-3 py-1 hover:bg-sunken";

/** The endpoints of an application. */
export function EndpointsOf({ app }: { app: App }) {
  const found = useQuery(endpointsQuery(app.id));
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton rows={3} />;
  if (found.data.data.length === 0) {
    return (
      <EmptyState
        title={t("app.noEndpoints")}
        action={
          <Link to="/endpoints" search={{ q: `app:${app.id}`, open: "new" }}>
            {t("app.addEndpoint")}
          </Link>
        }
        command={`curl ${serverURL}/api/v1/app/${app.uid ?? app.id}/endpoint -H "Authorization: Bearer $GRAPNEL_API_KEY" --json '{"url":"https://example.com/webhooks"}'`}
      />
    );
  }
  return (
    <ul>
      {found.data.data.map((one) => (
        <li key={one.id}>
          <PlainLink to="/endpoints" search={{ open: one.id }} className={row}>
            <span className="min-w-0 flex-1 truncate" title={one.url}>
              {one.url}
            </span>
            <span className="hidden text-ink-3 sm:inline">
              {one.eventTypes ? t("app.types", { n: one.eventTypes.length }) : t("app.allTypes")}
            </span>
            <span className="w-28">
              <StatusMark status={one.disabled ? "disabled" : one.failingSince ? "failing" : "active"} />
            </span>
          </PlainLink>
        </li>
      ))}
    </ul>
  );
}

/** The newest messages of an application; all of them are a search away. */
export function MessagesOf({ app }: { app: App }) {
  const found = useQuery({ ...recentQuery(app.id), refetchInterval: 10_000 });
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton rows={6} />;
  if (found.data.data.length === 0) {
    return (
      <EmptyState
        title={t("app.noMessages")}
        command={`grapnel send invoice.paid --server ${serverURL} --app ${app.uid ?? app.id} -d '{"amount":1200}'`}
        listening
      />
    );
  }
  return (
    <>
      <ul>
        {found.data.data.map((one) => (
          <li key={one.id}>
            <PlainLink to="/messages" search={{ open: one.id, q: `app:${app.id}` }} className={row}>
              <span className="w-20">
                <Time at={one.timestamp} as="clock" />
              </span>
              <span className="min-w-0 flex-1 truncate">{one.eventType}</span>
              <span className="w-44">
                <DeliveryMarks row={one} />
              </span>
            </PlainLink>
          </li>
        ))}
      </ul>
      <p className="p-3">
        <Link to="/messages" search={{ q: `app:${app.id}` }}>
          {t("app.all")}
        </Link>
      </p>
    </>
  );
}
