import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Schema } from "@/lib/api";
import { day, duration, number, share, timeOfDay } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Chart } from "@/ui/chart";
import { Link } from "@/ui/Link";
import { Page, Section } from "@/ui/Page";
import { Select } from "@/ui/Select";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Attention } from "./Attention";
import { FirstSteps } from "./FirstSteps";
import { firstThings, overviewQuery, type Range, rangeOf, ranges } from "./queries";

const route = getRouteApi("/shell/");

/** What needs somebody, and how it has been going. */
export function Overview() {
  const navigate = route.useNavigate();
  const range = rangeOf(route.useSearch().range);
  const { data, error, refetch } = useQuery(overviewQuery(range));
  const things = useQuery(firstThings);
  const quiet = things.data && !things.data.delivered && !things.data.request;
  return (
    <Page
      title={t("nav.overview")}
      actions={
        <Select
          label={t("overview.range")}
          value={range}
          onChange={(next: Range) => void navigate({ search: { range: next === "day" ? undefined : next } })}
          options={(Object.keys(ranges) as Range[]).map((one) => ({ value: one, label: t(`overview.range.${one}`) }))}
          className="w-40"
        />
      }
    >
      {quiet && <FirstSteps things={things.data} />}
      {!data ? (
        error ? (
          <ErrorState error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={6} />
        )
      ) : (
        <>
          {error && <ErrorText error={error} />}
          {(data.attention.length > 0 || !quiet) && <Attention items={data.attention} />}
          <Tiles tiles={data.tiles} />
          <Traffic overview={data} />
        </>
      )}
    </Page>
  );
}

function Tiles({ tiles }: { tiles: Schema<"OverviewTiles"> }) {
  const failing = tiles.failingEndpoints + tiles.disabledEndpoints;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded border border-line bg-line lg:grid-cols-4">
      <Tile label={t("overview.accepted")} value={number(tiles.accepted)} />
      <Tile
        label={t("overview.delivered")}
        value={tiles.deliveredShare === null ? "–" : share(tiles.deliveredShare)}
        more={t("overview.attempts", { n: number(tiles.attempts) })}
      />
      <Tile
        label={t("overview.median")}
        value={tiles.medianToDeliveryMs === null ? "–" : duration(tiles.medianToDeliveryMs)}
        more={tiles.p95ToDeliveryMs === null ? undefined : t("overview.p95", { time: duration(tiles.p95ToDeliveryMs) })}
      />
      <Tile
        label={t("overview.failing")}
        value={number(failing) + (tiles.endpointsMore ? "+" : "")}
        more={
          failing > 0 && (
            <Link to="/endpoints" search={{ q: "state:failing OR state:disabled" }}>
              {t("overview.failing.show")}
            </Link>
          )
        }
      />
    </dl>
  );
}

function Tile({ label, value, more }: { label: string; value: string; more?: React.ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col bg-surface px-3 py-2">
      <dt className="text-ink-3">{label}</dt>
      <dd className="font-semibold text-2xl tabular-nums">{value}</dd>
      {more && <dd className="text-ink-2 text-xs">{more}</dd>}
    </div>
  );
}

function Traffic({ overview }: { overview: Schema<"OverviewOut"> }) {
  const { series, stepSeconds } = overview;
  const when = (at: Date) =>
    stepSeconds >= 86_400
      ? day(at)
      : stepSeconds >= 21_600
        ? `${day(at)} ${timeOfDay(at).slice(0, 5)}`
        : timeOfDay(at).slice(0, 5);
  return (
    <Section title={t("overview.traffic")}>
      <Chart
        label={t("overview.traffic")}
        times={series.map((point) => new Date(point.at))}
        when={when}
        series={[
          { kind: "delivered", label: t("overview.chart.delivered"), values: series.map((point) => point.delivered) },
          { kind: "failed", label: t("overview.chart.failed"), values: series.map((point) => point.failed) },
        ]}
      />
    </Section>
  );
}
