import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { cx } from "@/ui/cx";
import { ErrorText } from "@/ui/States";
import { Mark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { type Endpoint, endpointChanged } from "./queries";
import { sinceOf, troubleOf } from "./recover";

interface StateNoteProps {
  appId: string;
  endpoint: Endpoint;
  /** Why this reader may not enable it, or not recover. */
  reason?: string;
  recoverReason?: string;
  /** Opens where the progress of recovering is seen. */
  onRecover?(): void;
}

const reasons = ["by_user", "gone_410", "failing"] as const;

/** What is the matter with an endpoint and what can be done about it; nothing where all is well. */
export function StateNote({ appId, endpoint, reason, recoverReason, onRecover }: StateNoteProps) {
  const client = useQueryClient();
  const [busy, setBusy] = useState<"enable" | "recover" | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const { disabled, disabledAt, failingSince } = endpoint;
  if (!disabled && !failingSince) return null;
  const why = reasons.find((one) => one === endpoint.disabledReason) ?? "by_user";
  const params = { path: { app: appId, ep: endpoint.id } };
  const enable = async (recover: boolean) => {
    setBusy(recover ? "recover" : "enable");
    setError(null);
    try {
      const since = sinceOf("trouble", new Date(), troubleOf(endpoint)).toISOString();
      await ok(api.PATCH("/api/v1/app/{app}/endpoint/{ep}", { params, body: { disabled: false } }));
      if (recover) {
        // What was on its way when it was disabled, and what was accepted since.
        await ok(api.POST("/api/v1/app/{app}/endpoint/{ep}/recover", { params, body: { since } }));
        await ok(api.POST("/api/v1/app/{app}/endpoint/{ep}/replay-missing", { params, body: { since } }));
        onRecover?.();
      }
    } catch (failed) {
      setError(failed as ApiError);
    } finally {
      setBusy(null);
      await endpointChanged(client, endpoint.id);
    }
  };
  return (
    <div
      className={cx(
        "flex flex-col gap-2 rounded border-l-2 px-3 py-2",
        disabled ? "border-held bg-sunken" : "border-failed bg-failed-soft",
      )}
    >
      <p>
        <Mark status={disabled ? "disabled" : "failing"} className="mr-2 inline" />
        <span className="font-medium">
          {disabled ? t(`ep.disabled.${why}`) : t("ep.failing")}{" "}
          <Time at={(disabled ? disabledAt : failingSince) ?? endpoint.updatedAt} as="exact" />
        </span>
      </p>
      <p className="max-w-3xl text-ink-2">{disabled ? t(`ep.disabled.${why}.text`) : t("ep.failing.text")}</p>
      <div className="flex flex-wrap gap-2">
        {disabled && (
          <>
            <Button busy={busy === "enable"} reason={reason} onClick={() => void enable(false)}>
              {t("do.enable")}
            </Button>
            <Button busy={busy === "recover"} reason={reason ?? recoverReason} onClick={() => void enable(true)}>
              {t("ep.enableRecover")}
            </Button>
          </>
        )}
        {!disabled && onRecover && <Button onClick={onRecover}>{t("ep.toRecover")}</Button>}
      </div>
      {error && <ErrorText error={error} />}
    </div>
  );
}
