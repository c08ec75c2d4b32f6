import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cx } from "../cx";
import type { PhaseBarProps } from "./props";

const order = ["queue", "dns", "tcp", "tls", "wait", "body"] as const;
// Neighbours differ in lightness, so that they are told apart without colour.
const fills = {
  queue: "bg-line",
  dns: "bg-ink-3",
  tcp: "bg-edge",
  tls: "bg-ink-2",
  wait: "bg-retrying-fill",
  body: "bg-delivered-fill",
};

/** Where the time of an attempt went. The phase in which it broke is marked. */
export function PhaseBar({ phases, total, failedIn, compact }: PhaseBarProps) {
  const shown = order.filter((phase) => phases[phase] !== undefined);
  const sum = shown.reduce((all, phase) => all + (phases[phase] ?? 0), 0);
  const words = shown.map((phase) => `${t(`phase.${phase}`)} ${duration(phases[phase] ?? 0)}`).join(", ");
  return (
    <figure className="flex flex-col gap-1.5">
      <div
        role="img"
        aria-label={words || t("phase.total")}
        className="flex h-3 w-full gap-px overflow-hidden rounded-sm bg-sunken"
      >
        {shown.map((phase) => (
          <span
            key={phase}
            className={cx("h-full min-w-1", phase === failedIn ? "bg-failed-fill" : fills[phase])}
            style={{ flexGrow: sum > 0 ? (phases[phase] ?? 0) / sum : 1, flexBasis: 0 }}
          />
        ))}
      </div>
      {!compact && (
        <figcaption className="flex flex-wrap gap-x-4 gap-y-1">
          {shown.map((phase) => (
            <span key={phase} className={cx("inline-flex items-center gap-1.5", phase === failedIn && "text-failed")}>
              <span
                aria-hidden
                className={cx("size-2 rounded-[2px]", phase === failedIn ? "bg-failed-fill" : fills[phase])}
              />
              <span className="text-ink-2">{t(`phase.${phase}`)}</span>
              <span className="data">{duration(phases[phase] ?? 0)}</span>
              {phase === failedIn && <span>{t("phase.broke")}</span>}
            </span>
          ))}
          <span className="ml-auto inline-flex items-center gap-1.5">
            <span className="text-ink-2">{t("phase.total")}</span>
            <span className="data">{duration(Math.max(total ?? 0, sum))}</span>
          </span>
        </figcaption>
      )}
    </figure>
  );
}
