import { useQuery } from "@tanstack/react-query";
import { number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { FirstSteps } from "@/parts/endpoint/FirstSteps";
import { HealthPanel } from "@/parts/endpoint/HealthPanel";
import { type HealthRange, ranges } from "@/parts/endpoint/health";
import { healthQuery } from "@/parts/endpoint/queries";
import { CopyId } from "@/ui/Copy";
import { RetryLine } from "@/ui/chart";
import { Link } from "@/ui/Link";
import { Facts, Section } from "@/ui/Page";
import { Time } from "@/ui/Time";
import type { EndpointRow } from "./queries";

interface OverviewProps {
  row: EndpointRow;
  reason?: string;
  range: HealthRange;
  onRange(range: HealthRange): void;
  onCell(since: Date, until: Date): void;
}

/** How an endpoint is and what is known of it. */
export function Overview({ row, reason, range, onRange, onCell }: OverviewProps) {
  const health = useQuery(healthQuery(row.appId, row.id, ranges[range].hours));
  const retries = health.data?.retries ?? [];
  return (
    <div className="flex flex-col">
      <FirstSteps appId={row.appId} endpoint={row} viewReason={reason} rotateReason={reason} code />
      <Section title={t("ep.health.title")}>
        <HealthPanel
          appId={row.appId}
          endpointId={row.id}
          url={row.url}
          range={range}
          onRange={onRange}
          onCell={onCell}
        />
      </Section>
      <Section title={t("ep.about")}>
        <Facts
          items={[
            [
              t("ep.url"),
              <span key="u" className="data break-all">
                {row.url}
              </span>,
            ],
            [t("ep.description"), row.description],
            ["ID", <CopyId key="i" id={row.id} full />],
            [t("ep.uid"), row.uid && <CopyId key="d" id={row.uid} full />],
            [
              row.sourceId ? t("msg.source") : t("msg.col.app"),
              row.sourceId ? (
                <Link key="s" to="/sources" search={{ open: row.sourceId }}>
                  {row.appName || row.sourceId}
                </Link>
              ) : (
                <Link key="a" to="/applications/$app" params={{ app: row.appId }} search={{}}>
                  {row.appName || row.appId}
                </Link>
              ),
            ],
            [t("ep.types"), <Types key="t" row={row} />],
            [
              t("ep.channels"),
              row.channels && (
                <span key="c" className="data">
                  {row.channels.join(", ")}
                </span>
              ),
            ],
            [t("ep.throttle"), row.throttleRate === null ? t("app.throttle.none") : number(row.throttleRate)],
            ...Object.entries(row.metadata).map(
              ([name, value]) =>
                [
                  <span key={name} className="data">
                    {name}
                  </span>,
                  value,
                ] as const,
            ),
            [t("app.col.created"), <Time key="n" at={row.createdAt} />],
            [t("type.updated"), <Time key="m" at={row.updatedAt} />],
          ]}
        />
      </Section>
      {health.data && (
        <Section title={t("ep.retries")} text={retries.length > 0 ? t("ep.retries.text") : t("ep.retries.none")}>
          {retries.length > 0 && <RetryLine delays={retries} label={t("ep.retries")} />}
        </Section>
      )}
    </div>
  );
}

function Types({ row }: { row: EndpointRow }) {
  if (row.eventTypes === null) return t("app.allTypes");
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-1">
      {row.eventTypes.map((name) =>
        row.sourceId ? (
          <span key={name} className="data">
            {name}
          </span>
        ) : (
          <Link key={name} to="/event-types" search={{ open: name }} className="data">
            {name}
          </Link>
        ),
      )}
    </span>
  );
}
