import { Menu as Base } from "@base-ui/react/menu";
import { Check, type LucideIcon } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";
import { itemLook, popupLook } from "./popup";

interface MenuProps {
  /** The button that opens it. */
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "center" | "end";
}

/** Actions that open under a button. */
export function Menu({ trigger, children, align = "end" }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className="z-50">
          <Base.Popup className={cx(popupLook, "min-w-40")}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface MenuItemProps {
  icon?: LucideIcon;
  onSelect?(): void;
  /** Drawn at the right, as a key. */
  hint?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  /** A link instead of an action. */
  render?: ReactElement;
  children: ReactNode;
}

/** One action of a menu. */
export function MenuItem({ icon: Icon, onSelect, hint, danger, disabled, render, children }: MenuItemProps) {
  return (
    <Base.Item
      onClick={onSelect}
      disabled={disabled}
      render={render}
      className={cx(itemLook, "items-center", danger && "text-failed")}
    >
      {Icon && <Icon aria-hidden size={16} strokeWidth={1.5} className="shrink-0" />}
      <span className="min-w-0 flex-1">{children}</span>
      {hint !== undefined && <span className="pl-4 text-ink-3">{hint}</span>}
    </Base.Item>
  );
}

interface MenuChoiceProps<T extends string> {
  label: ReactNode;
  value: T;
  onChange(value: T): void;
  options: readonly { value: T; label: ReactNode }[];
}

/** One of several inside a menu. */
export function MenuChoice<T extends string>({ label, value, onChange, options }: MenuChoiceProps<T>) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2.5 pt-1 pb-0.5 text-ink-3 text-xs">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} className={cx(itemLook, "items-center")}>
            <span className="flex size-4 items-center">
              <Base.RadioItemIndicator>
                <Check aria-hidden size={14} strokeWidth={1.5} />
              </Base.RadioItemIndicator>
            </span>
            {option.label}
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  );
}

/** A line between parts of a menu. */
export const MenuLine = () => <Base.Separator className="my-1 h-px bg-line" />;
