import { type RefCallback, useCallback, useState } from "react";
import { day, number, share, timeOfDay } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Tooltip } from "../Tooltip";
import type { HealthHour, HealthStripProps } from "./props";

/** Hours of attempts side by side: what succeeded stands, what failed hangs above it, an hour without any is a line. */
export function HealthStrip({ hours, label, onCell: pressed }: HealthStripProps) {
  const [box, width] = useWidth();
  // Cells that a finger cannot hit are not offered as buttons: the list they lead to has its own filter.
  const onCell = width >= hours.length * least ? pressed : undefined;
  const succeeded = hours.reduce((sum, hour) => sum + hour.succeeded, 0);
  const failed = hours.reduce((sum, hour) => sum + hour.failed, 0);
  const words =
    failed + succeeded === 0 ? t("strip.none") : t("strip.sum", { ok: number(succeeded), failed: number(failed) });
  // Over more than a day the time alone says too little.
  const days = hours.length > 1 && Date.parse(hours.at(-1)!.at) - Date.parse(hours[0]!.at) >= 86_400_000;
  // Lists have hundreds of cells: only those that can be pressed get a tooltip of ours.
  const cells = hours.map((hour) =>
    onCell ? (
      <Tooltip key={hour.at} text={said(hour, days)}>
        <button
          type="button"
          aria-label={said(hour, days)}
          onClick={() => onCell(hour)}
          className="flex min-w-0 flex-1 rounded-[2px] hover:bg-selected"
        >
          <Cell hour={hour} />
        </button>
      </Tooltip>
    ) : (
      <span key={hour.at} title={said(hour, days)} className="min-w-0 flex-1">
        <Cell hour={hour} />
      </span>
    ),
  );
  const name = `${label}: ${words}`;
  return onCell ? (
    <div ref={box} role="group" aria-label={name} className="flex h-[24px] w-full gap-0.5">
      {cells}
    </div>
  ) : (
    <div ref={box} role="img" aria-label={name} className="flex h-5 w-full gap-0.5">
      {cells}
    </div>
  );
}

/** Pixels of the smallest cell that can be pressed, with its gap (WCAG 2.2, 2.5.8). */
const least = 26;

/** The width of what has the reference, as it changes. */
function useWidth(): [RefCallback<HTMLElement>, number] {
  const [width, setWidth] = useState(0);
  const box = useCallback((element: HTMLElement | null) => {
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}

/** What failed comes from the top, hatched, so that it differs without its colour too. */
function Cell({ hour }: { hour: HealthHour }) {
  const all = hour.succeeded + hour.failed;
  if (all === 0) {
    return (
      <span aria-hidden className="flex h-full w-full items-center">
        <span className="h-0.5 w-full rounded-full bg-line" />
      </span>
    );
  }
  // One failure among thousands is still seen.
  const part = hour.failed === 0 ? 0 : Math.max(0.2, hour.failed / all);
  return (
    <span aria-hidden className="flex h-full w-full flex-col overflow-hidden rounded-[2px]">
      <span
        className="bg-[repeating-linear-gradient(135deg,var(--failed-fill)_0_3px,transparent_3px_4.5px)]"
        style={{ height: `${part * 100}%` }}
      />
      <span className="flex-1 bg-delivered-fill" />
    </span>
  );
}

const said = (hour: HealthHour, days: boolean): string => {
  const all = hour.succeeded + hour.failed;
  const start = new Date(hour.at);
  const time = timeOfDay(start).slice(0, 5);
  const at = days ? `${day(start)} ${time}` : time;
  return all === 0
    ? t("strip.hour.none", { at })
    : t("strip.hour", { at, share: share(hour.succeeded / all), n: number(all), failed: number(hour.failed) });
};
