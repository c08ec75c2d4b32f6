import { useQuery } from "@tanstack/react-query";
import { Send } from "lucide-react";
import { useState } from "react";
import type { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Menu, MenuItem, MenuLine } from "@/ui/Menu";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";
import { ownerOf, type Row, resendable } from "./attempts";
import { explainQuery, useResend } from "./queries";

/** Sends a message again: to one endpoint, or to all at which it failed. */
export function ResendMenu({
  message,
  reason: mayNot,
}: {
  message: Row /** Why this reader may not. */;
  reason?: string;
}) {
  const app = ownerOf(message);
  const explained = useQuery(explainQuery(app, message.id));
  const resend = useResend(app, message.id);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const endpoints = (explained.data?.endpoints ?? []).filter((one) => one.disabledSince === undefined);
  const failed = resendable(endpoints);
  const send = (ids: readonly string[]) => {
    setBusy(true);
    resend(ids)
      .then(
        () => toast(ids.length === 1 ? t("msg.resend.one") : t("msg.resend.done", { n: ids.length })),
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const reason =
    mayNot ??
    (message.payloadExpired
      ? t("msg.resend.expired")
      : explained.data && endpoints.length === 0
        ? t("msg.resend.nobody")
        : undefined);
  const ids = (failed.length > 0 ? failed : endpoints.length === 1 ? endpoints : []).map((one) => one.endpointId);
  useShortcuts(
    [{ keys: "r", label: t("msg.resend"), run: () => ids.length > 0 && send(ids) }],
    reason === undefined && !busy,
  );
  const button = (
    <Button icon={Send} busy={busy} reason={reason}>
      {t("msg.resend")}
    </Button>
  );
  return (
    <>
      {reason !== undefined ? (
        button
      ) : (
        <Menu trigger={button}>
          <MenuItem disabled={failed.length === 0} hint="r" onSelect={() => send(failed.map((one) => one.endpointId))}>
            {t("msg.resend.failed", { n: failed.length })}
          </MenuItem>
          <MenuLine />
          {endpoints.map((one) => (
            <MenuItem key={one.endpointId} onSelect={() => send([one.endpointId])}>
              <span className="break-all">{one.url.replace(/^https?:\/\//, "")}</span>
            </MenuItem>
          ))}
        </Menu>
      )}
      <Dialog open={error !== null} onClose={() => setError(null)} title={t("msg.resend")}>
        {error && <ErrorText error={error} />}
      </Dialog>
    </>
  );
}
