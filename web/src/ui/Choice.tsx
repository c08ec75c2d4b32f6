import { Checkbox as BaseCheckbox } from "@base-ui/react/checkbox";
import { Radio } from "@base-ui/react/radio";
import { RadioGroup as BaseRadioGroup } from "@base-ui/react/radio-group";
import { Switch as BaseSwitch } from "@base-ui/react/switch";
import { Check, Minus } from "lucide-react";
import { type ReactNode, useId } from "react";
import { cx } from "./cx";

interface OnOffProps {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  onChange(checked: boolean): void;
  disabled?: boolean;
  /** Hides the label from sight only. */
  labelHidden?: boolean;
}

function Labelled({
  id,
  label,
  hint,
  labelHidden,
  children,
}: {
  id: string;
  label: ReactNode;
  hint?: ReactNode;
  labelHidden?: boolean;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label className={cx("inline-flex min-h-6 items-start", labelHidden ? "" : "gap-2")}>
      {children}
      <span className={labelHidden ? "sr-only" : "min-w-0"}>
        <span id={id}>{label}</span>
        {hint !== undefined && <span className="block text-ink-3 text-xs">{hint}</span>}
      </span>
    </label>
  );
}

interface CheckboxProps extends OnOffProps {
  /** Some of what it stands for is on. */
  mixed?: boolean;
}

/** On or off, taken with the form. */
export function Checkbox({ mixed, checked, onChange, disabled, ...text }: CheckboxProps) {
  const id = useId();
  return (
    <Labelled id={id} {...text}>
      <BaseCheckbox.Root
        aria-labelledby={id}
        checked={checked}
        indeterminate={mixed}
        onCheckedChange={onChange}
        disabled={disabled}
        className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-[3px] border border-edge bg-surface data-checked:border-ink data-indeterminate:border-ink data-checked:bg-ink data-indeterminate:bg-ink data-disabled:opacity-50"
      >
        <BaseCheckbox.Indicator className="text-paper">
          {mixed ? (
            <Minus aria-hidden size={12} strokeWidth={2.5} />
          ) : (
            <Check aria-hidden size={12} strokeWidth={2.5} />
          )}
        </BaseCheckbox.Indicator>
      </BaseCheckbox.Root>
    </Labelled>
  );
}

/** On or off, with effect at once. */
export function Switch({ checked, onChange, disabled, ...text }: OnOffProps) {
  const id = useId();
  return (
    <Labelled id={id} {...text}>
      <BaseSwitch.Root
        aria-labelledby={id}
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        className="mt-0.5 flex h-4 w-7 shrink-0 rounded-full border border-edge bg-sunken p-px data-checked:border-ink data-checked:bg-ink data-disabled:opacity-50"
      >
        <BaseSwitch.Thumb className="size-3 rounded-full bg-edge transition-[translate] duration-100 data-checked:translate-x-3 data-checked:bg-paper" />
      </BaseSwitch.Root>
    </Labelled>
  );
}

export interface Option<T extends string = string> {
  value: T;
  label: ReactNode;
  hint?: ReactNode;
  disabled?: boolean;
}

interface RadioGroupProps<T extends string> {
  label: ReactNode;
  value: T;
  onChange(value: T): void;
  options: readonly Option<T>[];
  /** Side by side instead of below each other. */
  row?: boolean;
  labelHidden?: boolean;
}

/** One of a few, all in sight. */
export function RadioGroup<T extends string>({
  label,
  value,
  onChange,
  options,
  row,
  labelHidden,
}: RadioGroupProps<T>) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <span id={id} className={labelHidden ? "sr-only" : "font-medium"}>
        {label}
      </span>
      <BaseRadioGroup
        aria-labelledby={id}
        value={value}
        onValueChange={(next) => onChange(next as T)}
        className={cx("flex", row ? "flex-wrap gap-x-5 gap-y-1" : "flex-col gap-1")}
      >
        {options.map((option) => (
          <Labelled key={option.value} id={`${id}-${option.value}`} label={option.label} hint={option.hint}>
            <Radio.Root
              value={option.value}
              disabled={option.disabled}
              aria-labelledby={`${id}-${option.value}`}
              className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-full border border-edge bg-surface data-checked:border-ink data-disabled:opacity-50"
            >
              <Radio.Indicator className="size-2 rounded-full bg-ink" />
            </Radio.Root>
          </Labelled>
        ))}
      </BaseRadioGroup>
    </div>
  );
}
