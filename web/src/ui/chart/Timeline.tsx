import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cx } from "../cx";
import { StatusMark } from "../Status";
import { Time } from "../Time";
import type { TimelineAttempt, TimelineProps } from "./props";

/** What happened one after another, with the time between. */
export function Timeline({ acceptedAt, before = [], attempts, nextAt, selected, onSelect, label }: TimelineProps) {
  const starts = [acceptedAt, ...before.map((step) => step.at), ...attempts.map((attempt) => attempt.at)];
  const gap = (i: number) => starts[i]!.getTime() - starts[i - 1]!.getTime();
  return (
    <ol aria-label={label} className="flex flex-col border-line border-l pl-4">
      <Step at={acceptedAt}>{t("timeline.accepted")}</Step>
      {before.map((step, i) => (
        <Step key={step.label} at={step.at} gap={gap(i + 1)}>
          {step.label}
        </Step>
      ))}
      {attempts.map((attempt, i) => (
        <Step key={attempt.id} at={attempt.at} gap={gap(before.length + i + 1)} current={attempt.id === selected}>
          <AttemptButton attempt={attempt} onSelect={onSelect} />
        </Step>
      ))}
      {nextAt && (
        <Step at={nextAt} relative>
          {t("timeline.next")}
        </Step>
      )}
    </ol>
  );
}

function AttemptButton({ attempt, onSelect }: { attempt: TimelineAttempt; onSelect?(id: string): void }) {
  const text = (
    <>
      <span className="data text-ink-3">#{attempt.number}</span>
      <StatusMark status={attempt.outcome}>{attempt.result}</StatusMark>
      {attempt.duration !== undefined && <span className="data text-ink-3">{duration(attempt.duration)}</span>}
    </>
  );
  if (!onSelect) return <span className="flex items-center gap-2">{text}</span>;
  return (
    <button
      type="button"
      onClick={() => onSelect(attempt.id)}
      className="flex min-h-6 items-center gap-2 rounded-sm px-1 hover:bg-sunken"
    >
      {text}
    </button>
  );
}

function Step({
  at,
  gap,
  relative,
  current,
  children,
}: {
  at: Date;
  gap?: number;
  relative?: boolean;
  current?: boolean;
  children: React.ReactNode;
}) {
  return (
    <li
      aria-current={current || undefined}
      className={cx("relative flex flex-wrap items-center gap-x-3 py-0.5", current && "bg-selected")}
    >
      <span aria-hidden className="absolute -left-[19px] size-1.5 rounded-full bg-edge" />
      <Time at={at} as={relative ? "relative" : "clock"} className="w-20 text-ink-2" />
      <span className="data w-20 text-ink-3">{gap !== undefined && gap >= 0 ? `+ ${duration(gap)}` : ""}</span>
      {children}
    </li>
  );
}
