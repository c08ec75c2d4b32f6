// Hours of attempts joined into fewer, wider cells. Pure.
import type { HealthHour } from "@/ui/chart/props";

/** Ranges one can look at: how many hours they have, and how many are joined into a cell. */
export const ranges = {
  day: { hours: 24, step: 1 },
  week: { hours: 168, step: 6 },
  month: { hours: 672, step: 24 },
} as const;
export type HealthRange = keyof typeof ranges;

export const rangeOf = (text: string | undefined): HealthRange => (text === "week" || text === "month" ? text : "day");

/** Sums of so many hours each; the newest cell is a whole one, the oldest may hold fewer. */
export function joined(hours: readonly HealthHour[], step: number): HealthHour[] {
  const cells: HealthHour[] = [];
  for (let end = hours.length; end > 0; end -= step) {
    const part = hours.slice(Math.max(0, end - step), end);
    cells.push({
      at: part[0]?.at ?? "",
      succeeded: part.reduce((sum, hour) => sum + hour.succeeded, 0),
      failed: part.reduce((sum, hour) => sum + hour.failed, 0),
    });
  }
  return cells.reverse();
}
