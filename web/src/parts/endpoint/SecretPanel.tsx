import { Eye, EyeOff, RefreshCw } from "lucide-react";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/Copy";
import { VerifySnippet } from "@/ui/code";
import { ErrorText } from "@/ui/States";
import { RotateDialog } from "./RotateDialog";

interface SecretPanelProps {
  appId: string;
  endpointId: string;
  /** Why this reader may not see the secret, or not replace it. */
  viewReason?: string;
  rotateReason?: string;
  code?: boolean;
  /** Shows it at once: on the page of an endpoint that was just made. */
  snippet?: boolean;
}

/** The signing secret: masked until somebody asks for it, and how it is replaced. */
export function SecretPanel({ appId, endpointId, viewReason, rotateReason, code, snippet = true }: SecretPanelProps) {
  const [secret, setSecret] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [rotating, setRotating] = useState(false);
  const reveal = async () => {
    setBusy(true);
    setError(null);
    try {
      const params = { path: { app: appId, ep: endpointId } };
      setSecret((await ok(api.GET("/api/v1/app/{app}/endpoint/{ep}/secret", { params }))).key);
    } catch (why) {
      setError(why as ApiError);
    } finally {
      setBusy(false);
    }
  };
  const publicKey = secret?.startsWith("whpk_") ? secret : undefined;
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <span
          className="data min-w-0 flex-1 basis-64 break-all rounded border border-line bg-sunken px-2 py-1.5"
          aria-live="polite"
        >
          {secret ?? <span className="text-ink-3">{t("ep.secret.masked")}</span>}
        </span>
        {secret === null ? (
          <Button icon={Eye} busy={busy} reason={viewReason} onClick={() => void reveal()}>
            {t("ep.secret.reveal")}
          </Button>
        ) : (
          <>
            <CopyButton text={secret} withLabel />
            <Button icon={EyeOff} onClick={() => setSecret(null)}>
              {t("do.hide")}
            </Button>
          </>
        )}
        <Button icon={RefreshCw} reason={rotateReason} onClick={() => setRotating(true)}>
          {t("ep.secret.rotate")}
        </Button>
      </div>
      {publicKey && <p className="text-ink-2">{t("ep.secret.public")}</p>}
      {error && <ErrorText error={error} />}
      {snippet && (
        <div className="flex flex-col gap-1">
          <h3 className="font-medium text-ink-2">{t("attempt.verify")}</h3>
          <VerifySnippet scheme={publicKey ? "v1a" : "v1"} publicKey={publicKey} endpointId={endpointId} />
        </div>
      )}
      {rotating && (
        <RotateDialog
          appId={appId}
          endpointId={endpointId}
          code={code}
          onClose={() => setRotating(false)}
          onRotated={() => {
            setRotating(false);
            if (viewReason === undefined) void reveal();
          }}
        />
      )}
    </div>
  );
}
