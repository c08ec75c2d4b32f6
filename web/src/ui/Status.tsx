import type { ReactNode } from "react";
import { t } from "@/lib/i18n";
import { cx } from "./cx";

const marks = {
  delivered: { tone: "text-delivered", shape: "check" },
  retrying: { tone: "text-retrying", shape: "turn" },
  failed: { tone: "text-failed", shape: "cross" },
  canceled: { tone: "text-held", shape: "dash" },
  pending: { tone: "text-held", shape: "ring" },
  sending: { tone: "text-held", shape: "arrow" },
  held: { tone: "text-held", shape: "bars" },
  skipped: { tone: "text-ink-3", shape: "hollow" },
  active: { tone: "text-delivered", shape: "dot" },
  failing: { tone: "text-failed", shape: "cross" },
  paused: { tone: "text-held", shape: "bars" },
  disabled: { tone: "text-held", shape: "dash" },
  accepted: { tone: "text-delivered", shape: "dot" },
  duplicate: { tone: "text-held", shape: "hollow" },
  refused: { tone: "text-failed", shape: "cross" },
  handshake: { tone: "text-held", shape: "ring" },
  open: { tone: "text-failed", shape: "dot" },
  muted: { tone: "text-held", shape: "bars" },
  resolved: { tone: "text-delivered", shape: "check" },
  running: { tone: "text-retrying", shape: "arrow" },
  finished: { tone: "text-delivered", shape: "check" },
} as const;

/** A state that has a word, a shape and a colour. */
export type Status = keyof typeof marks;

type Shape = (typeof marks)[Status]["shape"];

// Each shape differs without its colour, in 12 units.
const paths: Record<Shape, ReactNode> = {
  check: (
    <path
      d="M6 0a6 6 0 1 1 0 12A6 6 0 0 1 6 0Zm2.7 3.6L5.2 7.1 3.5 5.4l-1 1 2.7 2.7 4.5-4.5Z"
      fill="currentColor"
      fillRule="evenodd"
    />
  ),
  turn: (
    <>
      <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6 1.25a4.75 4.75 0 0 1 0 9.5Z" fill="currentColor" />
    </>
  ),
  cross: <path d="m2 2 8 8m0-8-8 8" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />,
  dash: <path d="M1.5 6h9" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />,
  ring: <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  arrow: (
    <path d="M1 6h9M6.5 2 10.5 6l-4 4" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" />
  ),
  bars: <path d="M3.5 2v8m5-8v8" fill="none" stroke="currentColor" strokeWidth="2.25" strokeLinecap="round" />,
  hollow: (
    <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.2 2.2" />
  ),
  dot: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
};

/** The shape alone, where the word stands beside it or in a legend. */
export function Mark({ status, className }: { status: Status; className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 12 12" className={cx("size-3 shrink-0", marks[status].tone, className)}>
      {paths[marks[status].shape]}
    </svg>
  );
}

interface StatusMarkProps {
  status: Status;
  /** Instead of the state's own word: "2 of 3". The state is then read out before it. */
  children?: ReactNode;
  className?: string;
}

/** Shape, word and colour of a state. */
export function StatusMark({ status, children, className }: StatusMarkProps) {
  return (
    <span className={cx("inline-flex items-center gap-1.5 whitespace-nowrap", marks[status].tone, className)}>
      <Mark status={status} />
      {children === undefined ? (
        t(`state.${status}`)
      ) : (
        <>
          <span className="sr-only">{t(`state.${status}`)}</span>
          {children}
        </>
      )}
    </span>
  );
}

const tones = {
  neutral: "bg-sunken text-ink-2",
  good: "bg-delivered-soft text-delivered",
  warn: "bg-retrying-soft text-retrying",
  bad: "bg-failed-soft text-failed",
  held: "bg-held-soft text-held",
};

/** A short word about a thing: "test", "2 channels". */
export function Badge({
  tone = "neutral",
  mono,
  children,
}: {
  tone?: keyof typeof tones;
  mono?: boolean;
  children: ReactNode;
}) {
  return (
    <span
      className={cx(
        "inline-flex h-5 max-w-full items-center truncate rounded-sm px-1.5",
        mono ? "data" : "text-xs",
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}
