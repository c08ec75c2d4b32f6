import { useEffect, useMemo, useState } from "react";
import { t } from "@/lib/i18n";
import { cx } from "../cx";
import { Skeleton } from "../States";
import { inBackground } from "./background";
import { readBody, shapeOf } from "./body";
import type { JSONChange } from "./diffjson";
import { type LineDiff, lineRows } from "./difflines";
import { Lines } from "./Lines";
import type { DiffSide, DiffViewProps } from "./props";
import { jsonPath } from "./tree";

type Found = { json: JSONChange[] | null; lines: LineDiff };

/** What differs between two bodies: values by their place in JSON, or lines. */
export function DiffView({ label, left, right, height = 384 }: DiffViewProps) {
  const [found, setFound] = useState<Found | null>(null);
  const [byLines, setByLines] = useState(false);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const withheld =
    left.state === "hidden" || right.state === "hidden"
      ? "payload.hidden"
      : left.state === "expired" || right.state === "expired"
        ? "payload.expired"
        : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the sides are made anew at each draw; what they hold is not
  useEffect(() => {
    const stop = new AbortController();
    setFound(null);
    if (left.bytes === null || right.bytes === null) return;
    void compare(left, right, stop.signal).then((result) => !stop.signal.aborted && setFound(result));
    return () => stop.abort();
  }, [left.bytes, right.bytes, left.contentType, right.contentType, left.encoding, right.encoding]);
  const rows = useMemo(() => (found ? lineRows(found.lines, opened) : []), [found, opened]);
  if (withheld) return <p className="p-4 text-base text-ink-2">{t(withheld)}</p>;
  if (!found) return <Skeleton rows={4} />;
  const same = found.lines.hunks.every((hunk) => hunk.kind === "equal");
  const structural = found.json !== null && !byLines;
  return (
    <section aria-label={label} className={cx("flex min-h-0 flex-col", height === "fill" && "flex-1")}>
      <div className="flex flex-wrap items-center gap-3 border-line border-b px-3 py-1 text-xs">
        <span className="min-w-0 flex-1 truncate text-failed">− {left.label}</span>
        <span className="min-w-0 flex-1 truncate text-delivered">+ {right.label}</span>
        {found.json !== null && (
          <button
            type="button"
            onClick={() => setByLines(!byLines)}
            className="h-6 rounded px-2 text-ink-2 hover:bg-sunken"
          >
            {byLines ? t("diff.values") : t("diff.lines")}
          </button>
        )}
      </div>
      {same || (structural && found.json?.length === 0) ? (
        <p className="p-4 text-base text-ink-2">{t("diff.same")}</p>
      ) : structural ? (
        <Changes changes={found.json ?? []} label={label} />
      ) : (
        <Lines
          count={rows.length}
          height={height}
          aria-label={label}
          row={(index) => {
            const row = rows[index]!;
            if (row.kind === "gap")
              return (
                <button
                  type="button"
                  onClick={() => setOpened(new Set([...opened, row.hunk]))}
                  className="h-5 w-full bg-sunken px-3 text-start text-ink-3 text-xs"
                >
                  {t("diff.gap", { n: row.count })}
                </button>
              );
            return (
              <span
                className={cx(
                  "data block h-5 whitespace-pre px-3 leading-5",
                  row.kind === "removed" && "bg-failed-soft",
                  row.kind === "added" && "bg-delivered-soft",
                )}
              >
                {row.kind === "removed" ? "− " : row.kind === "added" ? "+ " : "  "}
                {row.text.replace(/\r?\n$/, "")}
              </span>
            );
          }}
        />
      )}
    </section>
  );
}

async function compare(left: DiffSide, right: DiffSide, signal: AbortSignal): Promise<Found> {
  const [a, b] = await Promise.all([
    readBody(left.bytes ?? "", left.contentType, left.encoding),
    readBody(right.bytes ?? "", right.contentType, right.encoding),
  ]);
  const lines = await inBackground({ kind: "lines", left: a.text, right: b.text }, signal);
  if (shapeOf(a, left.contentType) !== "json" || shapeOf(b, right.contentType) !== "json") return { json: null, lines };
  const [one, two] = await Promise.all([
    inBackground({ kind: "parse", text: a.text }, signal),
    inBackground({ kind: "parse", text: b.text }, signal),
  ]);
  if (!one.tree || !two.tree) return { json: null, lines };
  return { json: await inBackground({ kind: "json", left: a.text, right: b.text }, signal), lines };
}

const words = { added: "diff.added", removed: "diff.removed", changed: "diff.changed" } as const;

/** So many changes are drawn at most; texts beyond are compared by lines. */
const most = 500;

function Changes({ changes, label }: { changes: readonly JSONChange[]; label: string }) {
  return (
    <div className="min-h-0 overflow-auto">
      <table aria-label={label} className="w-full border-collapse">
        <tbody className="data align-top">
          {changes.slice(0, most).map((change) => (
            <tr key={jsonPath(change.path) + change.kind} className="border-line border-b">
              <td className="break-all px-3 py-1">{jsonPath(change.path)}</td>
              <td className="w-20 px-3 py-1 font-sans text-retrying">{t(words[change.kind])}</td>
              <td className="break-all px-3 py-1">
                {change.left !== undefined && (
                  <del className="block bg-failed-soft px-1 no-underline">{change.left.slice(0, 2000)}</del>
                )}
                {change.right !== undefined && (
                  <ins className="block bg-delivered-soft px-1 no-underline">{change.right.slice(0, 2000)}</ins>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
