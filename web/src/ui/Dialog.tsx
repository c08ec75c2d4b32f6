import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button, type ButtonLook, IconButton } from "./Button";
import { cx } from "./cx";
import { ErrorText } from "./States";

interface DialogProps {
  open: boolean;
  onClose(): void;
  title: ReactNode;
  /** One sentence under the title. */
  text?: ReactNode;
  children?: ReactNode;
  /** Buttons at the end, the primary one last. */
  actions?: ReactNode;
  size?: "small" | "medium" | "large";
  /** Cannot be closed except by its own actions. */
  firm?: boolean;
}

const widths = { small: "w-[26rem]", medium: "w-[40rem]", large: "w-[60rem]" };

/** A question or form over the page. Focus goes in and comes back. */
export function Dialog({ open, onClose, title, text, children, actions, size = "small", firm }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && !firm && onClose()} disablePointerDismissal={firm}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Base.Viewport className="fixed inset-0 z-40 flex items-start justify-center overflow-y-auto p-3 pt-[10vh]">
          <Base.Popup
            className={cx(
              "opens relative max-w-full rounded-md border border-line bg-surface p-5 shadow-float outline-none",
              widths[size],
            )}
          >
            <div className="flex items-start gap-4">
              <Base.Title className="flex-1 font-semibold text-lg">{title}</Base.Title>
              {!firm && <IconButton icon={X} label={t("do.close")} onClick={onClose} />}
            </div>
            {text !== undefined && <Base.Description className="mt-1 text-base text-ink-2">{text}</Base.Description>}
            {children !== undefined && <div className="mt-4 flex flex-col gap-4">{children}</div>}
            {actions !== undefined && <div className="mt-5 flex flex-wrap justify-end gap-2">{actions}</div>}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

interface ConfirmDialogProps {
  open: boolean;
  onClose(): void;
  title: ReactNode;
  /** What will happen, and whether it can be undone. */
  text: ReactNode;
  /** The verb of the button. */
  verb: string;
  look?: ButtonLook;
  /** Does it; the dialog closes when it is done, and stays with the error when it fails. */
  onConfirm(): Promise<unknown>;
  children?: ReactNode;
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ verb, look = "danger", onConfirm, onClose, children, ...rest }: ConfirmDialogProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const confirm = () => {
    setBusy(true);
    setError(null);
    onConfirm()
      .then(onClose, (failed: ApiError) => setError(failed))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      {...rest}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button look={look} busy={busy} onClick={confirm}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
      {error && <ErrorText error={error} />}
    </Dialog>
  );
}
