import { useQueryClient } from "@tanstack/react-query";
import { Eye, EyeOff, RefreshCw } from "lucide-react";
import { useState } from "react";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/Copy";
import { FromCode } from "@/ui/code";
import { ConfirmDialog } from "@/ui/Dialog";
import { Section } from "@/ui/Page";
import { ErrorText } from "@/ui/States";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { type Source, type SourceType, sourceChanged } from "./queries";
import { SecretDialog } from "./SecretDialog";

interface SecurityProps {
  source: Source;
  type: SourceType;
  /** Why this reader may neither see nor change any of it. */
  reason?: string;
}

/** The secrets that senders sign with, and the URL that only they should know. */
export function Security({ source, type, reason }: SecurityProps) {
  return (
    <>
      <Section title={t("src.secrets")} text={type.secretHelp}>
        <Secrets source={source} type={type} reason={reason} />
      </Section>
      <Section title={t("src.url")} text={t("src.token.text")}>
        <Token source={source} reason={reason} />
      </Section>
    </>
  );
}

function Secrets({ source, type, reason }: SecurityProps) {
  const [texts, setTexts] = useState<readonly Schema<"SourceSecretText">[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [changing, setChanging] = useState(false);
  const reveal = () => {
    setBusy(true);
    setError(null);
    ok(api.GET("/ingest/api/v1/source/{source}/secret", { params: { path: { source: source.id } } }))
      .then(
        (found) => setTexts(found.secrets),
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <div className="flex flex-col gap-3">
      {source.secrets.length === 0 ? (
        <p>{t(type.secretOptional ? "src.secrets.optional" : "src.secrets.none")}</p>
      ) : (
        <ul className="flex flex-col gap-2">
          {source.secrets.map(({ expiresAt }, i) => {
            const value = texts?.[i]?.value;
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: secrets have an order and nothing else
              <li key={i} className="flex flex-wrap items-center gap-2">
                <span className="data min-w-0 flex-1 basis-64 whitespace-pre-wrap break-all rounded border border-line bg-sunken px-2 py-1.5">
                  {value ?? <span className="text-ink-3">{t("src.secret.masked")}</span>}
                </span>
                {value && <CopyButton text={value} withLabel />}
                <span className="text-ink-2">
                  {i === 0 ? t("src.secret.current") : t("src.secret.former")}
                  {expiresAt && (
                    <>
                      {" · "}
                      {t("src.secret.until")} <Time at={expiresAt} />
                    </>
                  )}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {error && <ErrorText error={error} />}
      <div className="flex flex-wrap gap-2">
        {source.secrets.length > 0 &&
          (texts ? (
            <Button icon={EyeOff} onClick={() => setTexts(null)}>
              {t("do.hide")}
            </Button>
          ) : (
            <Button icon={Eye} busy={busy} reason={reason} onClick={reveal}>
              {t("src.secret.reveal")}
            </Button>
          ))}
        <Button icon={RefreshCw} reason={reason} onClick={() => setChanging(true)}>
          {t(source.secrets.length > 0 ? "src.secret.rotate" : "src.secret.give")}
        </Button>
      </div>
      {changing && (
        <SecretDialog
          source={source}
          type={type}
          onClose={() => setChanging(false)}
          onSaved={() => {
            setChanging(false);
            setTexts(null);
          }}
        />
      )}
    </div>
  );
}

function Token({ source, reason }: { source: Source; reason?: string }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const rotate = async () => {
    await ok(api.POST("/ingest/api/v1/source/{source}/token/rotate", { params: { path: { source: source.id } } }));
    await sourceChanged(client, source.id);
    toast(t("src.token.done"));
  };
  return (
    <div className="flex flex-col items-start gap-2">
      {source.oldTokens.map((until) => (
        <p key={until} className="text-ink-2">
          {t("src.token.former")} <Time at={until} />
        </p>
      ))}
      <Button icon={RefreshCw} reason={reason} onClick={() => setAsking(true)}>
        {t("src.token.rotate")}
      </Button>
      <FromCode
        call={{
          method: "POST",
          path: `ingest/api/v1/source/${source.id}/token/rotate`,
        }}
      />
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title={t("src.token.rotate")}
        text={t("src.token.rotate.text")}
        verb={t("src.token.do")}
        look="primary"
        onConfirm={rotate}
      />
    </div>
  );
}
