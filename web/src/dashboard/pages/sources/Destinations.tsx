import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { t } from "@/lib/i18n";
import { EndpointForm } from "@/parts/endpoint/EndpointForm";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Link, PlainLink } from "@/ui/Link";
import { Section } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { destinationsQuery, type Source } from "./queries";

const route = getRouteApi("/shell/sources/$source");

interface DestinationsProps {
  source: Source;
  reason?: string;
  /** Opens the place where routes are changed. */
  onRoutes(): void;
}

/** Where what arrives is passed on to: endpoints of the source, and applications. */
export function Destinations({ source, reason, onRoutes }: DestinationsProps) {
  const navigate = route.useNavigate();
  const [adding, setAdding] = useState(false);
  const found = useQuery(destinationsQuery(source.id));
  const add = (
    <Button icon={Plus} reason={reason} onClick={() => setAdding(true)}>
      {t("src.endpoint.add")}
    </Button>
  );
  return (
    <>
      <Section title={t("src.endpoints")} text={t("src.endpoints.text")} actions={add}>
        {found.error && !found.data ? (
          <ErrorState error={found.error} retry={() => void found.refetch()} />
        ) : !found.data ? (
          <Skeleton rows={3} />
        ) : found.data.data.length === 0 ? (
          <EmptyState
            title={t("src.endpoints.none")}
            text={t("src.endpoints.none.text")}
            command={`grapnel listen 3000/webhooks --source ${source.uid ?? source.id}`}
          />
        ) : (
          <ul className="overflow-hidden rounded border border-line bg-surface">
            {found.data.data.map((one) => (
              <li key={one.id} className="border-line border-b last:border-b-0">
                <PlainLink
                  to="/endpoints/$endpoint"
                  params={{ endpoint: one.id }}
                  search={{}}
                  className="flex min-h-(--row) items-center gap-3 px-3 py-1 hover:bg-sunken"
                >
                  <span className="min-w-0 flex-1 truncate" title={one.url}>
                    {one.url}
                    {one.description && <span className="ml-2 text-ink-3">{one.description}</span>}
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
        )}
      </Section>
      <Section
        title={t("src.routes")}
        text={t("src.routes.hint")}
        actions={
          <Button reason={reason} onClick={onRoutes}>
            {t("src.routes.change")}
          </Button>
        }
      >
        {source.routes.length === 0 ? (
          <p className="text-ink-2">{t("src.routes.none")}</p>
        ) : (
          <ul className="flex flex-col gap-1">
            {source.routes.map((one) => (
              <li key={one.app} className="flex flex-wrap items-center gap-3">
                <Link to="/applications/$app" params={{ app: one.app }} search={{}} className="data">
                  {one.app}
                </Link>
                <span className="text-ink-3">{one.only?.length ? one.only.join(", ") : t("src.routes.all")}</span>
              </li>
            ))}
          </ul>
        )}
      </Section>
      {adding && (
        <Dialog open onClose={() => setAdding(false)} size="medium" title={t("src.endpoint.add")}>
          <EndpointForm
            appId={source.id}
            full
            code
            onCancel={() => setAdding(false)}
            onSaved={(made) => void navigate({ to: "/endpoints/$endpoint", params: { endpoint: made.id }, search: {} })}
          />
        </Dialog>
      )}
    </>
  );
}
