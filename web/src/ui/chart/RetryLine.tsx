import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cx } from "../cx";
import { Mark } from "../Status";
import { Time } from "../Time";
import type { RetryLineProps } from "./props";

/** The attempts of a delivery on a line, with the waits between them. */
export function RetryLine({ delays, made = 0, delivered, nextAt, label }: RetryLineProps) {
  let after = 0;
  const points = [0, ...delays.map((delay) => (after += delay))];
  return (
    <ol aria-label={label ?? t("retryline.label")} className="flex flex-wrap items-start gap-y-3">
      {points.map((at, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a schedule have a fixed order
        <li key={i} className="flex items-start">
          {i > 0 && (
            <span className="flex flex-col items-center px-1">
              <span aria-hidden className={cx("mt-1.5 h-px w-14", i < made ? "bg-ink-2" : "bg-edge")} />
              <span className="data pt-1 text-ink-3 text-xs">+{duration((delays[i - 1] ?? 0) * 1000)}</span>
            </span>
          )}
          <span className="flex min-w-10 flex-col items-center">
            <Mark status={markOf(i, made, delivered)} />
            <span className="data pt-1 text-xs">{i === 0 ? t("retryline.first") : duration(at * 1000)}</span>
            {nextAt && i === made && <Time at={nextAt} className="text-ink-3 text-xs" />}
          </span>
        </li>
      ))}
    </ol>
  );
}

const markOf = (i: number, made: number, delivered = false) =>
  i >= made ? ("pending" as const) : i === made - 1 && delivered ? ("delivered" as const) : ("failed" as const);
