// What the parts of this folder take. Pages import from "@/ui/chart".

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

/** One series of a chart; its colour and pattern come with its kind. */
export interface ChartSeries {
  kind: "delivered" | "failed" | "accepted";
  label: string;
  /** One for each point. */
  values: readonly number[];
}

export interface ChartProps {
  /** Name of the figure. */
  label: string;
  /** Start of each step, oldest first. */
  times: readonly Date[];
  /** How the start of a step is written. */
  when(at: Date): string;
  /** Stacked on each other, the first at the bottom. */
  series: readonly ChartSeries[];
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
