import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { brokenIn, phasesOf, resultOf, sentenceOf, succeeded } from "@/parts/message/attempts";
import { PhaseBar } from "@/ui/chart";
import { PayloadViewer } from "@/ui/payload";
import { ErrorText } from "@/ui/States";
import { Mark, StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";

type Attempt = Schema<"MessageAttemptOut">;

/** How often one looks, and for how long: after that the message's page goes on. */
const every = 500;
const most = 240;

/** What came of a test, as it happens. */
export function TestResult(props: {
  appId: string;
  endpoint: string;
  message: string;
  link?(message: string): ReactNode;
  /** The server keeps what was answered from this reader. */
  hidden?: boolean;
}) {
  const { appId, endpoint, message, link, hidden } = props;
  const query = useQuery({
    queryKey: ["endpoint", endpoint, "test", message],
    queryFn: async ({ signal }) => {
      const page = await ok(
        api.GET("/api/v1/app/{app}/attempt/msg/{msg}", {
          params: { path: { app: appId, msg: message }, query: { limit: 50, with_content: true } },
          signal,
        }),
      );
      return page.data.filter((attempt) => attempt.endpointId === endpoint);
    },
    staleTime: 0,
    placeholderData: undefined,
    refetchInterval: ({ state }) => (over(state.data) || state.dataUpdateCount > most ? false : every),
  });
  const attempts = query.data ?? [];
  // Where nothing was tried yet, the server says why: held after failures, over the limit.
  const why = useQuery({
    queryKey: ["endpoint", endpoint, "test", message, "why"],
    queryFn: async ({ signal }) => {
      const params = { path: { app: appId, msg: message } };
      const told = await ok(api.GET("/api/v1/app/{app}/msg/{msg}/explain", { params, signal }));
      return told.endpoints.find((one) => one.endpointId === endpoint) ?? null;
    },
    enabled: query.isSuccess && attempts.length === 0,
    staleTime: 0,
    placeholderData: undefined,
    refetchInterval: 2000,
  });
  const last = attempts[0];
  return (
    <section aria-label={t("ep.test.result")} className="flex flex-col gap-3 border-line border-t pt-4">
      <div role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1">
        {last ? (
          <>
            <StatusMark status={succeeded(last) ? "delivered" : last.nextAttempt ? "retrying" : "failed"} />
            <span className="data font-medium">{resultOf(last)}</span>
            <span>{sentenceOf(last)}</span>
          </>
        ) : (
          <>
            {why.data?.heldReason ? (
              <StatusMark status="held" />
            ) : (
              <StatusMark status="sending">{t("ep.test.waiting")}</StatusMark>
            )}
            {why.data && <span className="text-ink-2">{why.data.text}</span>}
            {why.data?.nextProbeAt && (
              <span className="text-ink-2">
                {t("msg.heldUntil")} <Time at={why.data.nextProbeAt} />
              </span>
            )}
          </>
        )}
        <span className="flex-1" />
        {link?.(message)}
      </div>
      {query.error && <ErrorText error={query.error} />}
      {last && <Details attempt={last} hidden={hidden} />}
      {last?.nextAttempt && !succeeded(last) && (
        <p className="text-ink-2">
          {t("ep.test.again")} <Time at={last.nextAttempt} />
        </p>
      )}
      {attempts.length > 1 && (
        <ol className="flex flex-wrap gap-x-4 gap-y-1" aria-label={t("ep.attempts")}>
          {[...attempts].reverse().map((attempt) => (
            <li key={attempt.id} className="flex items-center gap-1.5">
              <Mark status={succeeded(attempt) ? "delivered" : "failed"} />
              <span className="data">
                #{attempt.attemptNumber} {resultOf(attempt)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Details({ attempt, hidden }: { attempt: Attempt; hidden?: boolean }) {
  const answered = attempt.responseStatusCode > 0;
  const empty = attempt.response === "" && !hidden;
  return (
    <>
      <PhaseBar phases={phasesOf(attempt)} total={attempt.responseDurationMs} failedIn={brokenIn(attempt)} />
      {answered &&
        (empty ? (
          <p className="text-ink-2">{t("ep.test.emptyAnswer")}</p>
        ) : (
          <PayloadViewer
            label={t("ep.test.answer")}
            bytes={hidden ? null : attempt.response}
            state={hidden ? "hidden" : undefined}
            height={240}
          />
        ))}
    </>
  );
}

/** True when nothing more happens by itself. */
const over = (attempts: readonly Attempt[] | undefined): boolean => {
  const last = attempts?.[0];
  return last !== undefined && (succeeded(last) || last.nextAttempt === undefined);
};
