import { ChevronDown, ChevronUp } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { count as writeCount } from "@/lib/format";
import { t } from "@/lib/i18n";
import { IconButton } from "../Button";
import { controlLook } from "../Field";

/** Hits of a search and which of them one looks at. */
export interface Finding<T> {
  wanted: string;
  want(text: string): void;
  hits: readonly T[];
  /** Index of the hit one looks at; -1 without hits. */
  current: number;
  go(step: 1 | -1): void;
}

/** Hits beyond this are not looked for. */
export const maxHits = 10_000;

/** Searches with find, which may take some ten milliseconds, and tells show where to look. */
export function useFinding<T>(find: (wanted: string) => T[], show: (hit: T) => void): Finding<T> {
  const [wanted, want] = useState("");
  const late = useDeferredValue(wanted);
  const hits = useMemo(() => (late === "" ? [] : find(late)), [late, find]);
  const [at, setAt] = useState<{ hits: readonly T[]; index: number }>({ hits, index: 0 });
  const current = hits.length === 0 ? -1 : at.hits === hits ? at.index : 0;
  const hit = hits[current];
  // biome-ignore lint/correctness/useExhaustiveDependencies: it goes there once for each hit, not when show changes
  useEffect(() => {
    if (hit !== undefined) show(hit);
  }, [hit, hits]);
  return {
    wanted,
    want,
    hits,
    current,
    go: (step) => setAt({ hits, index: (current + step + hits.length) % Math.max(1, hits.length) }),
  };
}

/** The field for it with the number of hits, and the ways to the next one. */
export function SearchField<T>({ finding, label }: { finding: Finding<T>; label: string }) {
  const { wanted, want, hits, current, go } = finding;
  return (
    <div role="search" className="flex min-w-0 flex-1 basis-52 items-center gap-1">
      <div className="relative min-w-0 max-w-80 flex-1">
        <input
          type="search"
          aria-label={label}
          placeholder={label}
          value={wanted}
          onChange={(event) => want(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            go(event.shiftKey ? -1 : 1);
          }}
          className={`${controlLook} h-7 pr-20`}
        />
        <span
          role="status"
          className="data pointer-events-none absolute inset-y-0 right-2 flex items-center text-ink-3"
        >
          {wanted !== "" &&
            (hits.length === 0
              ? t("payload.noHits")
              : `${writeCount(current + 1)}/${writeCount(hits.length, hits.length >= maxHits)}`)}
        </span>
      </div>
      <IconButton
        icon={ChevronUp}
        label={t("payload.previousHit")}
        disabled={hits.length === 0}
        onClick={() => go(-1)}
      />
      <IconButton icon={ChevronDown} label={t("payload.nextHit")} disabled={hits.length === 0} onClick={() => go(1)} />
    </div>
  );
}

/** Text with what was searched for marked. */
export function Marked({ text, wanted }: { text: string; wanted: string }) {
  if (wanted === "") return text;
  const parts = text.split(new RegExp(`(${wanted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")})`, "giu"));
  return parts.map((part, i) =>
    i % 2 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text have no identity but their place
      <mark key={i} className="rounded-[2px] bg-retrying-soft text-ink outline outline-retrying/60">
        {part}
      </mark>
    ) : (
      part
    ),
  );
}
