import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement, ReactNode } from "react";

interface TooltipProps {
  text: ReactNode;
  /** Drawn quietly after the text, as a key. */
  hint?: ReactNode;
  side?: "top" | "bottom" | "left" | "right";
  /** One element that takes a ref and props. */
  children: ReactElement;
}

/** Says more about one element when it is pointed at or focused, to who sees it: names and reasons are the element's own as well. */
export function Tooltip({ text, hint, side = "top", children }: TooltipProps) {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner side={side} sideOffset={6} className="z-50">
          <Base.Popup
            aria-hidden
            className="opens flex max-w-80 items-center gap-2 rounded bg-ink px-2 py-1 text-paper text-xs shadow-float"
          >
            {text}
            {hint !== undefined && <span className="opacity-75">{hint}</span>}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export const TooltipProvider = Base.Provider;
