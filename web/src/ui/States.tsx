import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "./Button";
import { CopyButton, CopyId } from "./Copy";
import { cx } from "./cx";

/** What went wrong as a sentence, with what to do and the request's id: under a form or in a dialog. */
export function ErrorText({ error }: { error: unknown }) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div role="alert" className="rounded border-failed border-l-2 bg-failed-soft px-3 py-2">
      <p className="text-failed">{error instanceof Error ? error.message : String(error)}</p>
      {known?.hint && <p className="text-ink-2">{known.hint}</p>}
      {known?.requestId && <RequestId id={known.requestId} />}
    </div>
  );
}

function RequestId({ id }: { id: string }) {
  return (
    <p className="mt-1 flex items-center gap-1.5 text-ink-3 text-xs">
      {t("word.requestId")} <CopyId id={id} full />
    </p>
  );
}

interface ErrorStateProps {
  error: unknown;
  retry?(): void;
  className?: string;
}

/** A view that could not be loaded. */
export function ErrorState({ error, retry, className }: ErrorStateProps) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div role="alert" className={cx("flex max-w-xl flex-col items-start gap-2 p-6", className)}>
      <p className="font-semibold text-lg">{error instanceof Error ? error.message : String(error)}</p>
      {known?.hint && <p className="text-base text-ink-2">{known.hint}</p>}
      {known?.requestId && <RequestId id={known.requestId} />}
      {retry && (
        <Button onClick={retry} className="mt-2">
          {t("do.tryAgain")}
        </Button>
      )}
    </div>
  );
}

interface EmptyStateProps {
  /** What will be here, in one sentence. */
  title: ReactNode;
  text?: ReactNode;
  /** The one action. */
  action?: ReactNode;
  /** A command that makes it non-empty, with the reader's own address and names. */
  command?: string;
  /** True where the view fills itself as soon as something comes. */
  listening?: boolean;
  children?: ReactNode;
}

/** A view with nothing in it yet. */
export function EmptyState({ title, text, action, command, listening, children }: EmptyStateProps) {
  return (
    <div className="flex max-w-2xl flex-col items-start gap-3 p-6">
      <p className="font-semibold text-lg">{title}</p>
      {text !== undefined && <p className="text-base text-ink-2">{text}</p>}
      {action}
      {command !== undefined && (
        <div className="flex w-full items-start gap-2 rounded border border-line bg-sunken p-3">
          <pre className="data min-w-0 flex-1 whitespace-pre-wrap break-all">{command}</pre>
          <CopyButton text={command} />
        </div>
      )}
      {children}
      {listening && (
        <p role="status" className="flex items-center gap-2 text-ink-3">
          <span aria-hidden className="size-2 animate-pulse rounded-full bg-delivered-fill" />
          {t("ui.listening")}
        </p>
      )}
    </div>
  );
}

/** True once ms have passed: what comes sooner needs no sign of loading. */
export function useLate(ms = 200): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}

interface SkeletonProps {
  /** Rows to reserve. */
  rows?: number;
  className?: string;
}

/** The place of what is coming. Its space is there at once, its bars after 200 ms. */
export function Skeleton({ rows = 8, className }: SkeletonProps) {
  const late = useLate();
  return (
    <div role="status" aria-label={t("ui.loading")} className={cx("flex flex-col", className)}>
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars have no identity
        <div key={i} className="flex h-(--row) items-center border-line border-b px-3">
          {late && <div className={cx("h-2.5 rounded-sm bg-sunken", ["w-2/3", "w-1/2", "w-3/5", "w-2/5"][i % 4])} />}
        </div>
      ))}
    </div>
  );
}
