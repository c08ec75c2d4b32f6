import type { ReactNode } from "react";
import type { Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/Copy";
import { Dialog } from "@/ui/Dialog";
import { Time } from "@/ui/Time";

interface OneTimeLinkProps {
  link: Schema<"MemberLinkOut">;
  title: ReactNode;
  text: ReactNode;
  onClose(): void;
}

/** A link that is handed over, shown this once. */
export function OneTimeLink({ link, title, text, onClose }: OneTimeLinkProps) {
  return (
    <Dialog
      open
      firm
      onClose={onClose}
      size="medium"
      title={title}
      text={text}
      actions={
        <Button look="primary" onClick={onClose}>
          {t("key.made.done")}
        </Button>
      }
    >
      <p className="data break-all rounded border border-line bg-sunken px-2 py-1.5">{link.url}</p>
      <div className="flex flex-wrap items-center gap-3">
        <CopyButton text={link.url} withLabel />
        <span className="text-ink-2">
          {t("member.link.until")} <Time at={link.expiresAt} />
        </span>
      </div>
    </Dialog>
  );
}
