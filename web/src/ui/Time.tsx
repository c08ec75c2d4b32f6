import { exact, relative, timeOfDay } from "@/lib/format";
import { clock } from "@/lib/preferences";
import { createStore, useStore } from "@/lib/store";
import { cx } from "./cx";
import { Tooltip } from "./Tooltip";

/** The time that relative times are counted from; it moves every ten seconds while somebody looks. */
export const now = createStore(new Date());
setInterval(() => {
  if (document.visibilityState === "visible") now.set(new Date());
}, 10_000);
document.addEventListener("visibilitychange", () => now.set(new Date()));

/** What happened since that time last moved is counted from the clock: it did not happen in the future. */
const happenedJustNow = (at: Date): boolean => at.getTime() <= Date.now() && at.getTime() > Date.now() - 10_000;

interface TimeProps {
  at: string | Date;
  /** "relative": 4 s ago. "clock": 12:04:33. "exact": with day, milliseconds and zone. */
  as?: "relative" | "clock" | "exact";
  className?: string;
}

/** A moment. The exact time, here and in UTC, shows when it is pointed at. */
export function Time({ at, as = "relative", className }: TimeProps) {
  const moment = typeof at === "string" ? new Date(at) : at;
  const from = useStore(now);
  useStore(clock);
  if (Number.isNaN(moment.getTime())) return null;
  const text =
    as === "relative"
      ? relative(moment, happenedJustNow(moment) ? new Date() : from)
      : as === "clock"
        ? timeOfDay(moment)
        : exact(moment);
  return (
    <Tooltip
      text={
        <span className="data flex flex-col">
          <span>{exact(moment, false)}</span>
          <span>{exact(moment, true)}</span>
        </span>
      }
    >
      <time dateTime={moment.toISOString()} className={cx("whitespace-nowrap", as !== "relative" && "data", className)}>
        {text}
      </time>
    </Tooltip>
  );
}
