// Ranges and progress of recovering. Pure.
import type { Endpoint, Task } from "./queries";

const hour = 3_600_000;
const day = 24 * hour;

/** The longest range that the server takes at once. */
export const longest = 14 * day;

/** From when on to recover. */
export type Since = "trouble" | "hour" | "day" | "week" | "longest" | "own";

const spans: Readonly<Record<"hour" | "day" | "week" | "longest", number>> = { hour, day, week: 7 * day, longest };

/** When the endpoint began to miss messages: its first failure, or when it was disabled. */
export function troubleOf(endpoint: Pick<Endpoint, "failingSince" | "disabledAt">): Date | undefined {
  const times = [endpoint.failingSince, endpoint.disabledAt].filter((one) => one !== undefined);
  return times.length === 0 ? undefined : new Date(Math.min(...times.map((one) => Date.parse(one))));
}

/** The beginning of a range in whole minutes, never further back than the server takes. */
export function sinceOf(choice: Exclude<Since, "own">, now: Date, trouble?: Date): Date {
  const wanted = choice === "trouble" ? (trouble ?? now).getTime() : now.getTime() - spans[choice];
  // A minute inside the limit, as time goes on between choosing and starting.
  const least = now.getTime() - longest + 60_000;
  return new Date(Math.floor(Math.max(wanted, least) / 60_000) * 60_000);
}

/** A moment as an input of type datetime-local holds it, in the reader's zone. */
export function localText(at: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Reads it back; undefined for what is no time. */
export function fromLocal(text: string): Date | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at;
}

export interface Progress {
  sent: number;
  /** Absent where it was not counted to the end. */
  total?: number;
  rate?: number;
  canceled: boolean;
  since?: string;
  until?: string;
}

/** What a task says about how far it is. */
export function progressOf({ data }: Pick<Task, "data">): Progress {
  const n = (name: string) => (typeof data[name] === "number" ? (data[name] as number) : undefined);
  const text = (name: string) => (typeof data[name] === "string" ? (data[name] as string) : undefined);
  return {
    sent: n("messagesSent") ?? 0,
    total: n("total"),
    rate: n("rate"),
    canceled: data.canceled === true,
    since: text("since"),
    until: text("until"),
  };
}

/** How long so many messages take at a rate, in milliseconds; undefined without a rate. */
export const takes = (count: number, rate: number | undefined): number | undefined =>
  rate === undefined || rate <= 0 ? undefined : (count / rate) * 1000;
