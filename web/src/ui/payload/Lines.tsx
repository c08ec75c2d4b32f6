import {
  type ComponentProps,
  type ReactNode,
  type Ref,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { cx } from "../cx";

/** Height of a row in pixels. */
export const rowHeight = 20;

// Browsers lay out no more than some 17 million pixels. Past this height the scroll bar covers the rows in proportion.
const maxHeight = 8_000_000;
const overscan = 8;

export interface LinesHandle {
  /** Brings the row into sight, if it is not. */
  show(row: number): void;
  focus(): void;
}

interface LinesProps extends Omit<ComponentProps<"div">, "children" | "ref"> {
  count: number;
  /** Largest height in pixels, or that of the parent. */
  height: number | "fill";
  /** Draws a row, 20 px high. */
  row(index: number): ReactNode;
  handle?: Ref<LinesHandle>;
  /** Told the width in pixels, at first and when it changes. */
  onWidth?(width: number): void;
}

/** Rows of one height, of which only those in sight are drawn: any number costs the same. */
export function Lines({ count, height, row, handle, onWidth, className, ...rest }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 400 });
  const widest = useRef(onWidth);
  widest.current = onWidth;
  const tallest = useRef(0);
  tallest.current = Math.max(tallest.current, Math.min(count * rowHeight + 8, 10_000));

  useLayoutEffect(() => {
    const el = box.current!;
    const measure = () => {
      if (el.clientHeight > 0)
        setView((old) => (old.height === el.clientHeight ? old : { ...old, height: el.clientHeight }));
      if (el.clientWidth > 0) widest.current?.(el.clientWidth);
    };
    measure();
    const observer = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(measure);
    observer?.observe(el);
    return () => observer?.disconnect();
  }, []);

  const total = count * rowHeight;
  const drawn = Math.min(total, maxHeight);
  const scale = total > drawn ? (total - view.height) / (drawn - view.height) : 1;
  const offset = Math.min(view.top * scale, Math.max(0, total - view.height));
  const first = Math.max(0, Math.floor(offset / rowHeight) - overscan);
  const last = Math.min(count, Math.ceil((offset + view.height) / rowHeight) + overscan);

  useImperativeHandle(handle, () => ({
    show(index) {
      const at = index * rowHeight;
      if (at >= offset && at + rowHeight <= offset + view.height) return;
      const top = Math.max(0, at - view.height / 3) / scale;
      box.current!.scrollTop = top;
      setView((old) => ({ ...old, top }));
    },
    focus: () => box.current?.focus({ preventScroll: true }),
  }));

  return (
    <div
      {...rest}
      ref={box}
      onScroll={(event) => {
        const top = event.currentTarget.scrollTop;
        setView((old) => ({ ...old, top }));
      }}
      style={height === "fill" ? undefined : { height: Math.min(height, Math.max(tallest.current, 120)) }}
      className={cx(
        "relative overflow-auto focus-visible:-outline-offset-2",
        height === "fill" && "min-h-0 flex-1",
        className,
      )}
    >
      <div style={{ height: drawn }}>
        <div
          className="absolute left-0 w-max min-w-full"
          style={{ top: Math.max(0, view.top - (offset - first * rowHeight)) }}
        >
          {Array.from({ length: Math.max(0, last - first) }, (_, i) => row(first + i))}
        </div>
      </div>
    </div>
  );
}
