import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import { hexRow } from "./hex";
import { Lines, type LinesHandle } from "./Lines";
import { cutRows, findText, lineBreaks, rowAt } from "./lines";
import { pieces } from "./marks";
import { Marked, SearchField, useFinding } from "./Search";
import { Toolbar } from "./Toolbar";

/** Width of a character of the fixed font, in pixels. */
const character = 7.25;

/** The text as it came, with line ends and what does not show as marks. */
export function RawView({
  text,
  label,
  height,
  actions,
}: {
  text: string;
  label: string;
  height: number | "fill";
  actions: ReactNode;
}) {
  const lines = useRef<LinesHandle>(null);
  const [columns, setColumns] = useState(100);
  const rows = useMemo(() => cutRows(text, columns), [text, columns]);
  const finding = useFinding(
    useCallback((wanted: string) => findText(text, wanted), [text]),
    useCallback((at: number) => lines.current?.show(rowAt(rows, at)), [rows]),
  );
  return (
    <div className="flex h-full min-h-0 flex-col">
      <Toolbar actions={actions}>
        <SearchField finding={finding} label={t("payload.search")} />
      </Toolbar>
      <Lines
        count={rows.count}
        height={height}
        handle={lines}
        onWidth={(width) => setColumns(Math.max(20, Math.floor((width - 76) / character)))}
        aria-label={label}
        row={(index) => (
          <span className="data flex whitespace-pre leading-5">
            <span aria-hidden className="w-12 shrink-0 select-none pr-2 text-end text-ink-3">
              {rows.numbers[index] || ""}
            </span>
            <span>
              {pieces(text.slice(rows.starts[index], rows.ends[index])).map((piece, i) =>
                piece.mark === undefined ? (
                  // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
                  <Marked key={i} text={piece.text} wanted={finding.wanted} />
                ) : (
                  // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
                  <span key={i} title={piece.code} className="text-held">
                    {piece.mark}
                  </span>
                ),
              )}
              {rows.breaks[index]! > 1 && (
                <span className="select-none pl-1 text-ink-3 text-xs">{lineBreaks[rows.breaks[index]!]}</span>
              )}
            </span>
          </span>
        )}
      />
    </div>
  );
}

/** The bytes, sixteen in a row. */
export function HexView({ bytes, label, height }: { bytes: Uint8Array; label: string; height: number | "fill" }) {
  const [width, setWidth] = useState(16);
  return (
    <Lines
      count={Math.ceil(bytes.length / width)}
      height={height}
      onWidth={(pixels) => setWidth(pixels < 560 ? 8 : 16)}
      aria-label={label}
      row={(index) => {
        const row = hexRow(bytes, index * width, width);
        return (
          <span className="data flex gap-4 whitespace-pre px-3 leading-5">
            <span className="select-none text-ink-3">{row.offset}</span>
            <span>{row.hex.join(" ").padEnd(width * 3 - 1)}</span>
            <span className="text-ink-2">{row.ascii}</span>
          </span>
        );
      }}
    />
  );
}
