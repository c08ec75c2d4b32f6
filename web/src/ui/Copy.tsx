import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { shortId } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button, IconButton } from "./Button";
import { cx } from "./cx";
import { Tooltip } from "./Tooltip";

/** Puts text on the clipboard, also where only the old way works (http, frames). */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** Copies, and says so for two seconds. */
export function useCopy(): [copied: boolean, copy: (text: string) => void] {
  const [copied, setCopied] = useState(0);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(0), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return [copied > 0, (text) => void copyText(text).then(() => setCopied((n) => n + 1))];
}

interface CopyButtonProps {
  text: string;
  /** What is copied, for its name; shown beside the icon with withLabel. */
  label?: string;
  withLabel?: boolean;
  className?: string;
}

/** Copies a text. */
export function CopyButton({ text, label = t("do.copy"), withLabel, className }: CopyButtonProps) {
  const [copied, copy] = useCopy();
  const name = copied ? t("do.copied") : label;
  const icon = copied ? Check : Copy;
  return withLabel ? (
    <Button icon={icon} onClick={() => copy(text)} className={className}>
      <span aria-live="polite">{name}</span>
    </Button>
  ) : (
    <IconButton icon={icon} label={name} onClick={() => copy(text)} className={className} />
  );
}

interface CopyIdProps {
  id: string;
  /** Whole instead of shortened in the middle. */
  full?: boolean;
  className?: string;
}

/** An id that is copied by pressing it. */
export function CopyId({ id, full, className }: CopyIdProps) {
  const shown = full ? id : shortId(id);
  const [copied, copy] = useCopy();
  return (
    <Tooltip text={copied ? t("do.copied") : id} hint={copied ? undefined : t("do.copy")}>
      <button
        type="button"
        onClick={(event) => {
          event.stopPropagation();
          copy(id);
        }}
        aria-label={`${t("do.copy")} ${shown}`}
        className={cx(
          "data inline-flex max-w-full items-center gap-1 rounded-sm px-1 text-ink-2 hover:bg-sunken hover:text-ink",
          className,
        )}
      >
        <span className="truncate">{shown}</span>
        {copied ? (
          <Check aria-hidden size={12} />
        ) : (
          <Copy aria-hidden size={12} strokeWidth={1.5} className="shrink-0 text-ink-3" />
        )}
      </button>
    </Tooltip>
  );
}
