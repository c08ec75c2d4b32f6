import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, RotateCcw, Undo2, X } from "lucide-react";
import { useMay } from "@/dashboard/session";
import { api, ok, type Schema } from "@/lib/api";
import { count, number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button, IconButton } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Link } from "@/ui/Link";
import { Facts, Section } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { adviceFor } from "./advice";
import { MuteMenu } from "./MuteMenu";
import { NoteForm } from "./NoteForm";
import { type Issue, issueQuery } from "./queries";

/** One issue beside the list: what it is, what to do, and what was decided. */
export function IssueDetail({ id, onClose }: { id: string; onClose(): void }) {
  const { data, error, refetch } = useQuery(issueQuery(id));
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  return data ? <Loaded issue={data} onClose={onClose} /> : <Skeleton className="p-3" />;
}

function Loaded({ issue, onClose }: { issue: Issue; onClose(): void }) {
  const advice = adviceFor(issue.cause, issue.status);
  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-auto">
      <header className="flex items-start gap-2 px-4 pt-3">
        <h2 className="min-w-0 flex-1 font-semibold text-lg">{issue.text}</h2>
        <IconButton icon={X} label={t("do.close")} onClick={onClose} />
      </header>
      <div className="px-4 pb-8">
        <Decide issue={issue} />
        <Facts
          className="py-3"
          items={[
            [t("issue.col.state"), <State key="state" issue={issue} />],
            [
              t("issue.col.endpoint"),
              <Link
                key="endpoint"
                to="/endpoints/$endpoint"
                params={{ endpoint: issue.endpointId }}
                search={{}}
                className="break-all"
              >
                {issue.endpointUrl || issue.endpointId}
              </Link>,
            ],
            [t("msg.col.app"), issue.appName || issue.appId],
            [t("issue.first"), <Time key="first" at={issue.firstSeen} />],
            [t("issue.last"), <Time key="last" at={issue.lastSeen} />],
            [t("issue.col.failures"), number(issue.failures)],
            issue.affected !== undefined && [t("issue.affected"), count(issue.affected.count, issue.affected.more)],
          ]}
        />
        <div className="flex flex-wrap gap-x-4 pb-3">
          <Link to="/messages" search={{ q: `endpoint:${issue.endpointId} status:failed,retrying` }}>
            {t("issue.messages")}
          </Link>
          {issue.sampleMessageId && issue.sampleAttemptId && (
            <Link
              to="/messages/$message/attempt/$attempt"
              params={{ message: issue.sampleMessageId, attempt: issue.sampleAttemptId }}
              search={{}}
            >
              {t("issue.sample")}
            </Link>
          )}
        </div>
        {advice && <Section title={t("issue.advice")}>{<p className="max-w-2xl text-base">{t(advice)}</p>}</Section>}
        <NoteForm issue={issue} />
        <FromCode call={{ method: "PATCH", path: `/api/v1/issue/${issue.id}`, body: '{"state":"resolved"}' }} />
      </div>
    </div>
  );
}

function State({ issue }: { issue: Issue }) {
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <StatusMark status={issue.state} />
      {issue.state === "muted" && issue.mutedUntil && (
        <span className="text-ink-2">
          {t("issue.until")} <Time at={issue.mutedUntil} />
        </span>
      )}
      {issue.healedAt && (
        <span className="text-ink-2">
          {t("issue.healedAt")} <Time at={issue.healedAt} />
        </span>
      )}
    </span>
  );
}

function Decide({ issue }: { issue: Issue }) {
  const client = useQueryClient();
  const may = useMay("developer");
  const reason = may ? undefined : t("issue.may");
  const change = useMutation({
    mutationFn: (body: Schema<"IssuePatch">) =>
      ok(api.PATCH("/api/v1/issue/{issue}", { params: { path: { issue: issue.id } }, body })),
    onSuccess: (next) => {
      client.setQueryData(issueQuery(issue.id).queryKey, (old) => ({ ...old, ...next }));
      void client.invalidateQueries({ queryKey: ["issues"] });
    },
  });
  const recover = useMutation({
    mutationFn: () =>
      ok(api.POST("/api/v1/issue/{issue}/recover", { params: { path: { issue: issue.id } }, body: {} })),
    onSuccess: () => {
      toast(t("issue.recovering"));
      void client.invalidateQueries({ queryKey: ["endpoint"] });
    },
  });
  const error = change.error ?? recover.error;
  return (
    <div className="flex flex-col gap-2 pt-2">
      <div className="flex flex-wrap gap-2">
        {issue.state === "open" ? (
          <>
            <Button
              icon={Check}
              look="primary"
              reason={reason}
              busy={change.isPending}
              onClick={() => change.mutate({ state: "resolved" })}
            >
              {t("issue.resolve")}
            </Button>
            <MuteMenu reason={reason} onMute={(mutedUntil) => change.mutate({ state: "muted", mutedUntil })} />
          </>
        ) : (
          <Button icon={Undo2} reason={reason} busy={change.isPending} onClick={() => change.mutate({ state: "open" })}>
            {t("issue.reopen")}
          </Button>
        )}
        <Button icon={RotateCcw} reason={reason} busy={recover.isPending} onClick={() => recover.mutate()}>
          {t("issue.recover")}
        </Button>
      </div>
      {recover.isSuccess && (
        <p role="status" className="text-ink-2">
          {t("issue.recovering")}{" "}
          <Link to="/endpoints/$endpoint" params={{ endpoint: issue.endpointId }} search={{ tab: "recover" }}>
            {t("issue.progress")}
          </Link>
        </p>
      )}
      {error && <ErrorText error={error} />}
    </div>
  );
}
