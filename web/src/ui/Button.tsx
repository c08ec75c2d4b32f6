import { Button as Base } from "@base-ui/react/button";
import type { LucideIcon } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";
import { Tooltip } from "./Tooltip";

const looks = {
  /** The one primary action of a view. */
  primary:
    "border-transparent bg-accent text-on-accent hover:brightness-95 data-disabled:bg-sunken data-disabled:text-ink-3",
  plain: "border-edge/60 bg-surface text-ink hover:bg-sunken data-disabled:text-ink-3",
  quiet:
    "border-transparent text-ink-2 hover:bg-sunken hover:text-ink data-popup-open:bg-sunken data-disabled:text-ink-3",
  danger: "border-failed/60 bg-surface text-failed hover:bg-failed-soft data-disabled:text-ink-3",
};

export type ButtonLook = keyof typeof looks;

interface ButtonProps extends Omit<ComponentProps<typeof Base>, "className"> {
  look?: ButtonLook;
  icon?: LucideIcon;
  /** True while its work goes on: it cannot be pressed again, and says so. */
  busy?: boolean;
  /** Why it cannot be pressed; it stays focusable so that the reason can be read. */
  reason?: string;
  className?: string;
}

/** A verb that can be pressed. */
export function Button({
  look = "plain",
  icon: Icon,
  busy,
  reason,
  disabled,
  className,
  children,
  ...rest
}: ButtonProps) {
  const off = disabled || busy || reason !== undefined;
  const button = (
    <Base
      type="button"
      {...rest}
      disabled={off}
      focusableWhenDisabled={busy || reason !== undefined}
      aria-description={reason}
      aria-busy={busy || undefined}
      className={cx(
        "inline-flex h-8 shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded border px-3 font-medium",
        looks[look],
        className,
      )}
    >
      {Icon && <Icon aria-hidden size={16} strokeWidth={1.5} className={cx("-ml-0.5", busy && "animate-pulse")} />}
      {children}
    </Base>
  );
  return reason === undefined ? button : <Tooltip text={reason}>{button}</Tooltip>;
}

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon"> {
  icon: LucideIcon;
  /** What it does: its name and its tooltip. */
  label: string;
  /** Key that does the same, shown in the tooltip. */
  hint?: ReactNode;
}

/** A button that shows only an icon; label names it. */
export function IconButton({
  icon: Icon,
  label,
  hint,
  look = "quiet",
  busy,
  reason,
  disabled,
  className,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip text={reason ?? label} hint={hint}>
      <Base
        type="button"
        aria-label={label}
        {...rest}
        disabled={disabled || busy || reason !== undefined}
        focusableWhenDisabled={busy || reason !== undefined}
        aria-description={reason}
        className={cx("inline-flex size-7 shrink-0 items-center justify-center rounded border", looks[look], className)}
      >
        <Icon aria-hidden size={16} strokeWidth={1.5} />
      </Base>
    </Tooltip>
  );
}
