// Numbers and times as people read them.
import { language } from "./i18n";
import { clock } from "./preferences";

/** 1234 B is "1.2 kB": powers of 1000, as files and networks are sold. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${number(value, unit === 0 ? 0 : value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** A number in the reader's language with at most so many decimals. */
export function number(n: number, decimals = 0): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: decimals }).format(n);
}

/** A share from 0 to 1 as per cent. Nearly all is never written as all: 0.9999 is "99.9 %", not "100 %". */
export function share(part: number): string {
  const percent = part < 1 && part > 0.999 ? 99.9 : part > 0 && part < 0.001 ? 0.1 : part * 100;
  return `${number(percent, percent >= 10 && percent < 99 ? 0 : 1)} %`;
}

/** Milliseconds: "18 ms", "1.2 s", "6 min", "2 h 5 min", "3 d". */
export function duration(ms: number): string {
  if (ms < 1000) return `${number(ms, ms < 10 ? 1 : 0)} ms`;
  if (ms < 60_000) return `${number(ms / 1000, ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 1440) return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
  const hours = Math.round(minutes / 60);
  return hours % 24 && hours < 240 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${number(hours / 24)} d`;
}

/** How long ago or ahead: "4 s ago", "in 6 min". Under a second it is "now". */
export function relative(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["second", 60],
    ["minute", 60],
    ["hour", 24],
    ["day", 30],
    ["month", 12],
    ["year", Number.POSITIVE_INFINITY],
  ];
  const format = new Intl.RelativeTimeFormat(language(), {
    numeric: Math.abs(seconds) < 1 ? "auto" : "always",
    style: "narrow",
  });
  let value = seconds;
  for (const [unit, size] of steps) {
    if (Math.abs(Math.round(value)) < size) return format.format(Math.round(value) || 0, unit);
    value /= size;
  }
  return "";
}

const zone = () => (clock.get() === "utc" ? "UTC" : undefined);

/** Time of day to the second, or with milliseconds: "12:04:33". */
export function timeOfDay(at: Date, ms = false): string {
  return new Intl.DateTimeFormat(language(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: ms ? 3 : undefined,
    hourCycle: "h23",
    timeZone: zone(),
  }).format(at);
}

/** Day and time to the millisecond with the zone's name, or in UTC. */
export function exact(at: Date, utc = clock.get() === "utc"): string {
  return new Intl.DateTimeFormat(language(), {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
    timeZone: utc ? "UTC" : undefined,
    timeZoneName: "short",
  }).format(at);
}

/** Day without time. */
export function day(at: Date): string {
  return new Intl.DateTimeFormat(language(), {
    year: "numeric",
    month: "short",
    day: "numeric",
    timeZone: zone(),
  }).format(at);
}

/** An id with its middle left out: the kind and the end tell ids apart. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, id.indexOf("_") + 4)}…${id.slice(-6)}`;
}

/** A count that was stopped at a bound: "10,000+". */
export function count(n: number, more = false): string {
  return number(n) + (more ? "+" : "");
}
