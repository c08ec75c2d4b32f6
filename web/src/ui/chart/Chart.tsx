import { useState } from "react";
import { number } from "@/lib/format";
import { t } from "@/lib/i18n";
import type { ChartProps, ChartSeries } from "./props";

const height = 120;
const fills = { delivered: "fill-delivered-fill", accepted: "fill-edge", failed: "fill-failed-fill" };
const dots = { delivered: "bg-delivered-fill", accepted: "bg-edge", failed: "bg-failed-fill" };

/** A round number at least as large: 1, 2, 5, 10, 20, 50, … */
export function roundUp(n: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return power * ([1, 2, 5].find((step) => step * power >= n) ?? 10);
}

/** Bars over time, stacked. Who cannot see them reads the same as a table. */
export function Chart({ label, times, when, series }: ChartProps) {
  const [at, setAt] = useState<number>();
  const sums = times.map((_, i) => series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0));
  const top = roundUp(Math.max(...sums, 1));
  const shown = at !== undefined && at < times.length ? at : undefined;
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex min-h-6 flex-wrap items-center gap-x-4 text-ink-2 text-xs">
        {series.map((one) => (
          <span key={one.kind} className="inline-flex items-center gap-1.5">
            <span aria-hidden className={`size-2 rounded-[2px] ${dots[one.kind]}`} />
            {one.label} <span className="data">{number(amount(one, shown))}</span>
          </span>
        ))}
        <span className="ml-auto text-ink-3">{shown === undefined ? "" : when(times[shown]!)}</span>
      </figcaption>
      <svg
        aria-hidden="true"
        viewBox={`0 0 ${times.length} ${height}`}
        preserveAspectRatio="none"
        className="h-[120px] w-full border-line border-b"
        onPointerLeave={() => setAt(undefined)}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setAt(Math.min(times.length - 1, Math.floor(((event.clientX - box.left) / box.width) * times.length)));
        }}
      >
        {shown !== undefined && <rect x={shown} width="1" height={height} className="fill-selected" />}
        {times.map((time, i) => (
          <Stack key={time.getTime()} x={i} series={series} top={top} />
        ))}
      </svg>
      <div aria-hidden className="flex justify-between pt-1 text-ink-3 text-xs">
        <span>{times[0] && when(times[0])}</span>
        <span>{t("chart.top", { n: number(top) })}</span>
        <span>{times.at(-1) && when(times.at(-1)!)}</span>
      </div>
      <table className="sr-only">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th>{t("chart.time")}</th>
            {series.map((one) => (
              <th key={one.kind}>{one.label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.map((time, i) =>
            sums[i] === 0 ? null : (
              <tr key={time.getTime()}>
                <th>{when(time)}</th>
                {series.map((one) => (
                  <td key={one.kind}>{number(one.values[i] ?? 0)}</td>
                ))}
              </tr>
            ),
          )}
        </tbody>
      </table>
    </figure>
  );
}

/** The value that is pointed at, or the sum of all. */
const amount = (one: ChartSeries, at: number | undefined): number =>
  at === undefined ? one.values.reduce((a, b) => a + b, 0) : (one.values[at] ?? 0);

function Stack({ x, series, top }: { x: number; series: readonly ChartSeries[]; top: number }) {
  let base = height;
  return series.map((one) => {
    const value = one.values[x] ?? 0;
    if (value === 0) return null;
    // One failure among thousands is still seen.
    const tall = Math.max(2, (value / top) * (height - 2));
    base -= tall;
    return (
      <rect key={one.kind} x={x + 0.1} y={Math.max(0, base)} width="0.8" height={tall} className={fills[one.kind]} />
    );
  });
}
