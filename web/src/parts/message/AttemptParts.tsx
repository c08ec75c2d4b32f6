import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { HeaderTable, PayloadViewer } from "@/ui/payload";
import { ErrorState, Skeleton } from "@/ui/States";
import { Tabs } from "@/ui/Tabs";
import { type Attempt, bodyState, headerOf, type MessageFacts } from "./attempts";
import { bodyQuery, headersQuery, responseQuery } from "./queries";
import { SignaturePart } from "./SignaturePart";

const tabs = ["requestHeaders", "requestBody", "responseHeaders", "response", "signature"] as const;
type Tab = (typeof tabs)[number];

type Headers = Schema<"AttemptHeadersOut">;

/** Headers as a table has them, those that the server keeps to itself marked. */
export const headerList = (headers: Readonly<Record<string, string>>, sensitive: Headers["sensitive"]) =>
  Object.entries(headers).map(([name, value]) => ({ name, value, masked: sensitive.includes(name) }));

interface AttemptPartsProps {
  /** Id of the application or source that the message belongs to. */
  app: string;
  message: MessageFacts;
  attempt: Attempt;
  /** The open part; kept in the address by the page. */
  tab?: string;
  onTab(tab: string): void;
}

/** What was sent and what came back. */
export function AttemptParts({ app, message, attempt, tab, onTab: show }: AttemptPartsProps) {
  const answered = attempt.responseStatusCode > 0;
  const open: Tab = tabs.find((one) => one === tab) ?? (answered ? "response" : "requestHeaders");
  const headers = useQuery(headersQuery(app, message.id, attempt.id));
  const readable = !message.payloadHidden && !message.payloadExpired;
  const body = useQuery(bodyQuery(app, message.id, readable && (open === "requestBody" || open === "signature")));
  const gone = attempt.response === "EXPUNGED";
  const response = useQuery(
    responseQuery(app, message.id, attempt.id, open === "response" && answered && !message.payloadHidden && !gone),
  );
  const error = headers.error ?? (open === "response" ? response.error : body.error);
  const answerHeaders = headers.data?.responseHeaders;
  const length = Number(answerHeaders ? headerOf(answerHeaders, "content-length") : undefined);
  const encoding = answerHeaders ? headerOf(answerHeaders, "content-encoding") : undefined;
  return (
    <Tabs
      label={t("attempt.parts")}
      value={open}
      onChange={show}
      tabs={tabs.map((value) => ({ value, label: t(`attempt.tab.${value}`) }))}
      className="rounded border border-line bg-surface"
    >
      {error ? (
        <ErrorState error={error} />
      ) : !headers.data ? (
        <Skeleton rows={5} />
      ) : open === "requestHeaders" ? (
        <HeaderTable
          label={t("attempt.tab.requestHeaders")}
          headers={headerList(headers.data.sentHeaders, headers.data.sensitive)}
        />
      ) : open === "requestBody" ? (
        <PayloadViewer
          label={t("attempt.tab.requestBody")}
          bytes={body.data ?? null}
          state={bodyState(message, body.data === undefined)}
          contentType={message.contentType}
        />
      ) : open === "responseHeaders" ? (
        answerHeaders ? (
          <HeaderTable
            label={t("attempt.tab.responseHeaders")}
            headers={headerList(answerHeaders, headers.data.sensitive)}
          />
        ) : (
          <Note>{answered ? t("attempt.noHeaders") : t("attempt.noAnswer")}</Note>
        )
      ) : open === "response" ? (
        answered ? (
          <PayloadViewer
            label={t("attempt.tab.response")}
            bytes={response.data ?? null}
            state={
              message.payloadHidden ? "hidden" : gone ? "expired" : response.data === undefined ? "loading" : undefined
            }
            contentType={answerHeaders ? headerOf(answerHeaders, "content-type") : undefined}
            encoding={encoding}
            fullSize={!encoding && response.data && length > response.data.length ? length : undefined}
          />
        ) : (
          <Note>{t("attempt.noAnswer")}</Note>
        )
      ) : (
        <SignaturePart message={message} attempt={attempt} headers={headers.data.sentHeaders} body={body.data} />
      )}
    </Tabs>
  );
}

const Note = ({ children }: { children: ReactNode }) => <p className="p-4 text-base text-ink-2">{children}</p>;
