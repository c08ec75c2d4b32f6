import { t } from "@/lib/i18n";
import { CopyButton } from "@/ui/Copy";
import { VerifySnippet } from "@/ui/code";
import { Facts } from "@/ui/Page";
import { Time } from "@/ui/Time";
import { type Attempt, type MessageFacts, signatureOf } from "./attempts";

/** So much of a body is drawn in the signed text; all of it is copied. */
const most = 2000;

/** What was signed and how, and how a receiver verifies it. */
export function SignaturePart({
  message,
  attempt,
  headers,
  body,
}: {
  message: MessageFacts;
  attempt: Attempt;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | undefined;
}) {
  const signed = signatureOf(headers);
  if (!signed) return <p className="p-4 text-base text-ink-2">{t("attempt.unsigned")}</p>;
  const text = body && `${signed.id}.${signed.timestamp}.${new TextDecoder().decode(body)}`;
  const seconds = Number(signed.timestamp);
  return (
    <div className="flex flex-col gap-4 p-3">
      <Facts
        items={[
          [t("attempt.scheme"), t(`attempt.scheme.${signed.scheme}`)],
          [
            t("attempt.timestamp"),
            <span key="t" className="flex flex-wrap gap-x-3">
              <span className="data">{signed.timestamp}</span>
              {Number.isFinite(seconds) && <Time at={new Date(seconds * 1000)} as="exact" />}
            </span>,
          ],
          [
            t("attempt.signature"),
            <span key="s" className="data flex flex-col break-all">
              {signed.signatures.map((one) => (
                <span key={one}>{one}</span>
              ))}
            </span>,
          ],
        ]}
      />
      <section className="flex flex-col gap-1">
        <div className="flex items-center gap-2">
          <h2 className="flex-1 font-medium">{t("attempt.signed")}</h2>
          {text !== undefined && <CopyButton text={text} />}
        </div>
        <p className="text-ink-3 text-xs">{t("attempt.signed.hint")}</p>
        <pre className="data max-h-40 overflow-auto whitespace-pre-wrap break-all rounded border border-line bg-sunken p-3">
          {text === undefined
            ? `${signed.id}.${signed.timestamp}.…`
            : text.length > most
              ? `${text.slice(0, most)}…`
              : text}
        </pre>
      </section>
      <section className="flex flex-col gap-1">
        <h2 className="font-medium">{t("attempt.verify")}</h2>
        <VerifySnippet scheme={signed.scheme} endpointId={attempt.endpointId} messageId={message.id} />
      </section>
    </div>
  );
}
