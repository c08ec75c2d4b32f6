import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { keep, recall } from "@/lib/storage";

interface SplitPaneProps {
  /** Under which the width is remembered: one per page. */
  name: string;
  list: ReactNode;
  /** The open detail, or nothing: then the list has all the width. */
  detail: ReactNode;
  onClose(): void;
}

const least = 20;
const most = 80;

/** List left, detail right, with a divider that is dragged or moved by arrow keys. On narrow screens the detail has the page. */
export function SplitPane({ name, list, detail, onClose }: SplitPaneProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(() => clamp(Number(recall(`split.${name}`, "50")) || 50));
  const open = detail !== null && detail !== undefined && detail !== false;
  useShortcuts([{ keys: "Escape", label: t("keys.back"), run: onClose }], open);
  const move = (to: number) => {
    setWidth(clamp(to));
    keep(`split.${name}`, String(Math.round(clamp(to))));
  };
  const drag = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || !box.current) return;
    const { left, width: whole } = box.current.getBoundingClientRect();
    move(((event.clientX - left) / whole) * 100);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -2, ArrowRight: 2, Home: -100, End: 100 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    move(width + by);
  };
  return (
    <div ref={box} className="flex min-h-0 min-w-0 flex-1 border-line border-t">
      <div
        className={open ? "hidden min-h-0 min-w-0 flex-col lg:flex" : "flex min-h-0 min-w-0 flex-1 flex-col"}
        style={open ? { width: `${width}%` } : undefined}
      >
        {list}
      </div>
      {open && (
        <>
          <div
            role="separator"
            aria-orientation="vertical"
            aria-label={t("pane.divider")}
            aria-valuenow={Math.round(width)}
            aria-valuemin={least}
            aria-valuemax={most}
            tabIndex={0}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={drag}
            onKeyDown={key}
            onDoubleClick={() => move(50)}
            className="relative hidden w-px shrink-0 cursor-col-resize touch-none bg-line after:absolute after:inset-y-0 after:-left-1 after:w-2 hover:bg-edge lg:block"
          />
          <div className="flex min-h-0 min-w-0 flex-1 flex-col overflow-hidden">{detail}</div>
        </>
      )}
    </div>
  );
}

const clamp = (percent: number) => Math.max(least, Math.min(most, percent));
