import { Select as Base } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import type { Option } from "./Choice";
import { cx } from "./cx";
import { controlLook } from "./Field";
import { itemLook, popupLook } from "./popup";

interface SelectProps<T extends string> {
  value: T;
  onChange(value: T): void;
  options: readonly Option<T>[];
  /** Its name where no Field labels it. */
  label?: string;
  disabled?: boolean;
  className?: string;
}

/** One of several in a list that opens. */
export function Select<T extends string>({ value, onChange, options, label, disabled, className }: SelectProps<T>) {
  return (
    <Base.Root
      items={options.map((option) => ({ value: option.value, label: option.label }))}
      value={value}
      onValueChange={(next) => next !== null && onChange(next as T)}
      disabled={disabled}
    >
      <Base.Trigger
        aria-label={label}
        className={cx(controlLook, "flex h-8 items-center justify-between gap-2 text-left", className)}
      >
        <Base.Value className="truncate" />
        <Base.Icon>
          <ChevronDown aria-hidden size={14} strokeWidth={1.5} className="text-ink-3" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50">
          <Base.Popup className={cx(popupLook, "min-w-(--anchor-width)")}>
            <Base.List>
              {options.map((option) => (
                <Base.Item key={option.value} value={option.value} disabled={option.disabled} className={itemLook}>
                  <span className="flex size-4 items-center">
                    <Base.ItemIndicator>
                      <Check aria-hidden size={14} strokeWidth={1.5} />
                    </Base.ItemIndicator>
                  </span>
                  <span className="min-w-0">
                    <Base.ItemText>{option.label}</Base.ItemText>
                    {option.hint !== undefined && <span className="block text-ink-3 text-xs">{option.hint}</span>}
                  </span>
                </Base.Item>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
