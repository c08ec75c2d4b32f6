import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { Field, TextArea } from "@/ui/Field";
import { Link } from "@/ui/Link";
import { Facts } from "@/ui/Page";
import { ErrorText } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { toast } from "@/ui/Toast";
import { annotate, type Request, requestChanged, verify } from "./queries";
import { markOf, stateText } from "./state";

interface VerdictProps {
  request: Request;
  /** Why this reader may change nothing. */
  reason?: string;
}

/** Who sent it, as far as that could be proved, and what to do where it could not. */
export function Verdict({ request, reason }: VerdictProps) {
  return (
    <div className="flex flex-col gap-5 p-3">
      <section className="flex flex-col gap-2">
        <h3 className="sr-only">{t("req.tab.verdict")}</h3>
        <p className="flex flex-wrap items-center gap-2 text-base">
          <StatusMark status={markOf(request.state)}>{stateText(request.state)}</StatusMark>
          <span>{request.detail || t(`req.meaning.${request.state}`)}</span>
        </p>
        <Findings request={request} />
        <Again request={request} reason={reason} />
      </section>
      <Facts
        items={[
          [
            t("req.reason"),
            <span key="reason" className="data">
              {request.reason}
            </span>,
          ],
          [t("req.type"), request.eventType && <span className="data">{request.eventType}</span>],
          [t("req.key"), request.key && <CopyId id={request.key} full />],
          [
            t("req.remote"),
            <span key="remote" className="data">
              {request.remote}
            </span>,
          ],
          [t("msg.contentType"), request.contentType && <span className="data">{request.contentType}</span>],
          [t("req.fingerprint"), <CopyId key="print" id={request.fingerprint} full />],
          [
            t("req.message"),
            request.messageId && (
              <Link to="/messages" search={{ open: request.messageId }} className="data">
                {request.messageId}
              </Link>
            ),
          ],
        ]}
      />
      <Note request={request} reason={reason} />
    </div>
  );
}

/** What the diagnosis found, the most likely first. */
function Findings({ request }: { request: Request }) {
  if (request.findings.length === 0) return null;
  return (
    <ol className="flex flex-col gap-2" aria-label={t("req.findings")}>
      {request.findings.map((finding) => (
        <li key={finding.code} className="rounded border-retrying border-l-2 bg-retrying-soft px-3 py-2">
          <p>{finding.text}</p>
          <p className="data text-ink-3 text-xs">{finding.code}</p>
        </li>
      ))}
    </ol>
  );
}

function Again({ request, reason }: VerdictProps) {
  const client = useQueryClient();
  const refused = request.state === "refused";
  const again = useMutation({
    mutationFn: () => verify(request),
    onSuccess: async (next) => {
      await requestChanged(client, request.id);
      if (refused && next.state === "accepted") toast(t("req.verify.taken"));
      else toast(next.detail || t(refused ? "req.verify.still" : "req.verify.done"));
    },
  });
  if (request.state === "handshake" || request.bodyGone) return null;
  return (
    <div className="flex flex-col items-start gap-2">
      <p className="text-ink-2">{t(refused ? "req.verify.text" : "req.verify.text.taken")}</p>
      <div className="flex flex-wrap gap-2">
        <Button
          look={refused ? "primary" : undefined}
          icon={ShieldCheck}
          busy={again.isPending}
          reason={reason}
          onClick={() => again.mutate()}
        >
          {t("req.verify")}
        </Button>
        {refused && (
          <Link
            to="/sources/$source"
            params={{ source: request.sourceId }}
            search={{ tab: "security" }}
            className="self-center"
          >
            {t("req.secret")}
          </Link>
        )}
      </div>
      {again.error && <ErrorText error={again.error} />}
    </div>
  );
}

function Note({ request, reason }: VerdictProps) {
  const client = useQueryClient();
  const [note, setNote] = useState(request.note);
  const save = useMutation({
    mutationFn: () => annotate(request, note),
    onSuccess: () => requestChanged(client, request.id),
  });
  const fault = save.error instanceof ApiError ? save.error.fault("note") : undefined;
  return (
    <form
      className="flex max-w-xl flex-col items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Field label={t("req.note")} optional error={fault} className="w-full">
        <TextArea
          rows={2}
          readOnly={reason !== undefined}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      </Field>
      {save.error && !fault && <ErrorText error={save.error} />}
      <Button type="submit" busy={save.isPending} disabled={note === request.note} reason={reason}>
        {t("do.save")}
      </Button>
    </form>
  );
}
