import { Field as Base } from "@base-ui/react/field";
import type { ComponentProps, ReactNode } from "react";
import { t } from "@/lib/i18n";
import { cx } from "./cx";

interface FieldProps {
  label: ReactNode;
  /** Said before anything is wrong. */
  hint?: ReactNode;
  /** What is wrong, as the server said it: error.fault("url"). */
  error?: string;
  optional?: boolean;
  /** Hides the label from sight only. */
  labelHidden?: boolean;
  className?: string;
  children: ReactNode;
}

/** A control with label above and hint or error below, tied together for screen readers. */
export function Field({ label, hint, error, optional, labelHidden, className, children }: FieldProps) {
  return (
    <Base.Root invalid={error !== undefined} className={cx("flex min-w-0 flex-col gap-1", className)}>
      <Base.Label className={labelHidden ? "sr-only" : "font-medium text-ink"}>
        {label}
        {optional && <span className="ml-0.5 font-normal text-ink-3"> {t("word.optional")}</span>}
      </Base.Label>
      {children}
      {hint !== undefined && <Base.Description className="text-ink-3 text-xs">{hint}</Base.Description>}
      <Base.Error match={error !== undefined} className="text-failed text-xs">
        {error}
      </Base.Error>
    </Base.Root>
  );
}

/** How every text control looks. */
export const controlLook =
  "w-full min-w-0 rounded border border-edge/70 bg-surface px-2 text-ink hover:border-edge data-invalid:border-failed " +
  "aria-invalid:border-failed focus-visible:outline-2 focus-visible:-outline-offset-1 focus-visible:outline-focus " +
  "disabled:bg-sunken disabled:text-ink-3 [&:is(input,textarea):read-only]:bg-sunken";

type TextInputProps = Omit<ComponentProps<typeof Base.Control>, "className"> & { mono?: boolean; className?: string };

/** One line of text. Inside a Field. */
export function TextInput({ mono, className, ...rest }: TextInputProps) {
  return <Base.Control {...rest} className={cx(controlLook, "h-8", mono && "data", className)} />;
}

type TextAreaProps = Omit<ComponentProps<"textarea">, "className"> & { mono?: boolean; className?: string };

/** Several lines of text. Inside a Field. */
export function TextArea({ mono, className, rows = 4, ...rest }: TextAreaProps) {
  return (
    <Base.Control
      render={<textarea rows={rows} {...rest} />}
      className={cx(controlLook, "resize-y py-1.5", mono && "data", className)}
    />
  );
}
