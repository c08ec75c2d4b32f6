import { useQuery } from "@tanstack/react-query";
import { duration, number, share } from "@/lib/format";
import { t } from "@/lib/i18n";
import { HealthStrip } from "@/ui/chart";
import { Select } from "@/ui/Select";
import { ErrorState, Skeleton } from "@/ui/States";
import { Mark } from "@/ui/Status";
import { type HealthRange, joined, ranges } from "./health";
import { healthQuery } from "./queries";

interface HealthPanelProps {
  appId: string;
  endpointId: string;
  /** Names the strip for screen readers. */
  url: string;
  /** The last 24 hours without one; kept in the address by the page. */
  range?: HealthRange;
  onRange?(range: HealthRange): void;
  /** Called with the time of the cell that was pressed. */
  onCell?(since: Date, until: Date): void;
}

const classes = ["dns", "connect", "tls", "timeout", "protocol", "redirect", "policy", "body"] as const;

/** A class of failures in words: "timeout", "429", "5xx". */
export function failureName(outcome: string): string {
  const known = classes.find((one) => one === outcome);
  return known ? t(`outcome.${known}`) : outcome.replace(/^status_/, "");
}

/** How an endpoint has been. */
export function HealthPanel({ appId, endpointId, url, range = "day", onRange, onCell }: HealthPanelProps) {
  const query = useQuery(healthQuery(appId, endpointId, ranges[range].hours));
  if (query.error && !query.data) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton rows={3} />;
  const { attempts, succeeded, p50Ms, p95Ms, hours, failures } = query.data;
  const at = (ms: number | null) => (ms === null ? "–" : t("ep.health.atMost", { time: duration(ms) }));
  const figures = [
    [t("ep.health.attempts"), number(attempts)],
    [t("ep.health.delivered"), attempts === 0 ? "–" : share(succeeded / attempts)],
    [t("ep.health.p50"), at(p50Ms)],
    [t("ep.health.p95"), at(p95Ms)],
  ] as const;
  return (
    <div className="flex min-w-0 flex-col gap-4">
      {onRange && (
        <div className="w-44">
          <Select
            label={t("ep.health.range")}
            value={range}
            onChange={(next) => onRange(next as HealthRange)}
            options={(Object.keys(ranges) as HealthRange[]).map((value) => ({ value, label: t(`range.${value}`) }))}
          />
        </div>
      )}
      <dl className="grid max-w-2xl grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-4">
        {figures.map(([label, value]) => (
          <div key={label} className="flex flex-col-reverse">
            <dt className="text-ink-3 text-xs">{label}</dt>
            <dd className="data text-lg">{value}</dd>
          </div>
        ))}
      </dl>
      <HealthStrip
        hours={joined(hours, ranges[range].step)}
        label={url}
        onCell={
          onCell &&
          ((cell) => {
            const since = Date.parse(cell.at);
            onCell(new Date(since), new Date(since + ranges[range].step * 3_600_000));
          })
        }
      />
      {failures.length > 0 && (
        <section className="flex flex-col gap-1">
          <h3 className="font-medium text-ink-2">{t("ep.health.why")}</h3>
          <ul className="flex flex-wrap gap-x-5 gap-y-1">
            {failures.map((one) => (
              <li key={one.outcome} className="flex items-center gap-1.5">
                <Mark status="failed" />
                <span>{failureName(one.outcome)}</span>
                <span className="data text-ink-2">{number(one.count)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
