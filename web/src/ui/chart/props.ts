// What the parts of this folder take. Pages import from "@/ui/chart".
import type { ReactNode } from "react";

export interface SparklineProps {
  values: readonly number[];
  /** What the values are, in words: "Messages accepted in the last 24 hours". */
  label: string;
  /** How one value is written; numbers in the reader's language without one. */
  format?(value: number): string;
  width?: number;
  height?: number;
}

/** One cell of a health strip, an hour as a rule. */
export interface HealthHour {
  /** Start, RFC 3339. */
  at: string;
  succeeded: number;
  failed: number;
}

export interface HealthStripProps {
  /** Oldest first; 24 as a rule. */
  hours: readonly HealthHour[];
  /** What it is about, for screen readers: "billing.example.com". */
  label: string;
  /** Called with the cell that was clicked; cells are then buttons. */
  onCell?(hour: HealthHour): void;
}

/** Phases of one attempt in milliseconds; what did not happen is left out. */
export interface Phases {
  queue?: number;
  dns?: number;
  tcp?: number;
  tls?: number;
  /** From the request's last byte to the answer's first. */
  wait?: number;
  body?: number;
}

export interface PhaseBarProps {
  phases: Phases;
  /** Whole time in milliseconds, where it is not the sum. */
  total?: number;
  /** The phase in which it failed; drawn as the broken one. */
  failedIn?: keyof Phases;
  /** Leaves out the words below the bar. */
  compact?: boolean;
}

/** One series of a chart; colours and patterns come with the kind. */
export type SeriesKind = "delivered" | "retrying" | "failed" | "accepted" | "p50" | "p95" | "p99";

export interface ChartSeries {
  kind: SeriesKind;
  /** In the reader's words; that of the kind without one. */
  label?: string;
  /** One for each point; null where nothing was measured. */
  values: readonly (number | null)[];
}

/** Something that happened at a moment: a change of configuration, a deploy. */
export interface ChartMarker {
  at: Date;
  label: string;
}

export interface ChartProps {
  /** Title and name of the figure. */
  label: string;
  /** Start of each bucket, oldest first. */
  times: readonly Date[];
  /** Width of a bucket in milliseconds. */
  step: number;
  series: readonly ChartSeries[];
  /** Bars stacked on each other, or lines. */
  look: "bars" | "lines";
  /** How a value is written: durations, shares. Numbers without one. */
  format?(value: number): string;
  markers?: readonly ChartMarker[];
  /** Dragging selects a range, in whole buckets. */
  onRange?(since: Date, until: Date): void;
  /** A click on a bucket. */
  onBucket?(since: Date, until: Date): void;
  /** Pixels; 180 without one. */
  height?: number;
  /** Buttons at the right of the title. */
  actions?: ReactNode;
  /** Said instead of an empty picture. */
  empty?: ReactNode;
}

/** A step of a retry schedule. */
export interface RetryLineProps {
  /** Seconds from each attempt to the next. */
  delays: readonly number[];
  /** How many attempts were made, and whether the last of them succeeded. */
  made?: number;
  delivered?: boolean;
  /** When the next one is due. */
  nextAt?: Date;
  label?: string;
}

export interface TimelineAttempt {
  id: string;
  /** Number as people count, from 1. */
  number: number;
  at: Date;
  outcome: "delivered" | "failed" | "sending" | "pending" | "canceled";
  /** "500", "timeout". */
  result: string;
  /** Milliseconds. */
  duration?: number;
}

export interface TimelineProps {
  acceptedAt: Date;
  /** What happened between acceptance and the first attempt: "matched 3", "held". */
  before?: readonly { label: string; at: Date }[];
  attempts: readonly TimelineAttempt[];
  nextAt?: Date;
  selected?: string;
  onSelect?(id: string): void;
  label?: string;
}
