import { useQuery } from "@tanstack/react-query";
import { t } from "@/lib/i18n";
import { Section } from "@/ui/Page";
import { DiffView, HeaderTable } from "@/ui/payload";
import { ErrorState, Skeleton } from "@/ui/States";
import { headerList } from "./AttemptParts";
import { type Attempt, headerOf, ownerOf, type Row } from "./attempts";
import { headersQuery, responseQuery } from "./queries";

/** Two attempts at one endpoint: what was sent and answered differently. The body is the same for both. */
export function AttemptDiff({ message, one, two }: { message: Row; one: Attempt; two: Attempt }) {
  const [first, second] = one.attemptNumber <= two.attemptNumber ? [one, two] : [two, one];
  const a = useSide(message, first);
  const b = useSide(message, second);
  const error = a.error ?? b.error;
  if (error) return <ErrorState error={error} />;
  if (!a.headers || !b.headers) return <Skeleton rows={6} />;
  const sides = [a.label, b.label] as const;
  return (
    <div>
      <h2 className="pb-2 font-semibold text-base">
        {t("attempt.compare.title", { a: first.attemptNumber, b: second.attemptNumber })}
      </h2>
      <Section title={t("attempt.tab.requestHeaders")}>
        <HeaderTable
          label={t("attempt.tab.requestHeaders")}
          headers={headerList(a.headers.sentHeaders, a.headers.sensitive)}
          other={headerList(b.headers.sentHeaders, b.headers.sensitive)}
          sides={sides}
        />
      </Section>
      <Section title={t("attempt.tab.responseHeaders")}>
        <HeaderTable
          label={t("attempt.tab.responseHeaders")}
          headers={headerList(a.headers.responseHeaders ?? {}, a.headers.sensitive)}
          other={headerList(b.headers.responseHeaders ?? {}, b.headers.sensitive)}
          sides={sides}
        />
      </Section>
      <Section title={t("attempt.tab.response")}>
        <DiffView label={t("attempt.tab.response")} left={a.side} right={b.side} />
      </Section>
    </div>
  );
}

function useSide(message: Row, attempt: Attempt) {
  const app = ownerOf(message);
  const gone = attempt.response === "EXPUNGED";
  const headers = useQuery(headersQuery(app, message.id, attempt.id));
  const response = useQuery(responseQuery(app, message.id, attempt.id, !message.payloadHidden && !gone));
  const label = t("msg.attemptN", { n: attempt.attemptNumber });
  const state = message.payloadHidden
    ? ("hidden" as const)
    : gone
      ? ("expired" as const)
      : response.data === undefined
        ? ("loading" as const)
        : undefined;
  return {
    label,
    headers: headers.data,
    error: headers.error ?? response.error,
    side: {
      label,
      bytes: response.data ?? null,
      state,
      contentType: headerOf(headers.data?.responseHeaders ?? {}, "content-type"),
    },
  };
}
