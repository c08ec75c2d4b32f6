import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiError, Schema } from "@/lib/api";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { elsewhere } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Choice";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Link } from "@/ui/Link";
import { Editor } from "@/ui/payload";
import { ErrorText, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { textOf } from "./curl";
import { bodyQuery, type Request, replay, requestChanged } from "./queries";
import { replayable } from "./state";

interface ReplayDialogProps {
  request: Request;
  /** What it begins with: as it came, with another body, or once to a URL. */
  kind: "replay" | "edit" | "url";
  /** Bodies are kept from this reader, so there is nothing to edit. */
  hidden: boolean;
  onClose(): void;
}

/** Sends a request again: on the ways of its source, or once to a URL; as it came, or edited. */
export function ReplayDialog({ request, kind, hidden, onClose }: ReplayDialogProps) {
  const client = useQueryClient();
  const [toURL, setToURL] = useState(kind === "url");
  const [url, setURL] = useState("");
  const [editing, setEditing] = useState(kind === "edit");
  const [edited, setEdited] = useState<string | null>(null);
  const body = useQuery(bodyQuery(request, editing && !hidden));
  const text = body.data && textOf(body.data);
  const shown = edited ?? text ?? "";
  const changed = editing && edited !== null && edited !== text;
  const input: Schema<"RequestReplayIn"> = {
    ...(toURL && { to: { url: url.trim() } }),
    ...(changed && { body: shown }),
  };
  const send = useMutation({
    mutationFn: () => replay(request, input),
    onSuccess: () =>
      Promise.all([requestChanged(client, request.id), client.invalidateQueries({ queryKey: ["messages"] })]),
  });
  const error = send.error as ApiError | null;
  const json = request.contentType.includes("json");
  return (
    <Dialog
      open
      onClose={onClose}
      size="medium"
      title={t("req.replay.title")}
      text={t(toURL ? "req.replay.text.url" : "req.replay.text")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.close")}</Button>
          <Button
            look="primary"
            busy={send.isPending}
            disabled={toURL && url.trim() === ""}
            onClick={() => send.mutate()}
          >
            {t("req.replay.do")}
          </Button>
        </>
      }
    >
      {replayable(request) && (
        <Checkbox label={t("req.replay.toURL")} hint={t("req.replay.toURL.hint")} checked={toURL} onChange={setToURL} />
      )}
      {toURL && (
        <Field label="URL" error={error?.fault("to")}>
          <TextInput
            mono
            type="url"
            inputMode="url"
            placeholder="https://staging.example.com/webhooks"
            value={url}
            onChange={(event) => setURL(event.target.value)}
          />
        </Field>
      )}
      {!hidden && (
        <Checkbox
          label={t("req.replay.edited")}
          hint={t("req.replay.edited.hint")}
          checked={editing}
          onChange={setEditing}
        />
      )}
      {editing &&
        (body.error ? (
          <ErrorText error={body.error} />
        ) : !body.data ? (
          <Skeleton rows={4} />
        ) : text === undefined ? (
          <p className="text-ink-2">{t("req.replay.notText")}</p>
        ) : (
          <Editor
            label={t("req.tab.body")}
            value={shown}
            language={json ? "json" : "text"}
            rows={10}
            error={error?.fault("body")}
            onChange={setEdited}
          />
        ))}
      {error && elsewhere(error, ["to", "body"]) && <ErrorText error={error} />}
      {send.data && <Result result={send.data} />}
      <FromCode
        call={{
          method: "POST",
          path: `ingest/api/v1/source/${request.sourceId}/request/${request.id}/replay`,
          body: JSON.stringify(input),
          cli: changed ? undefined : ["replay", request.id, ...(toURL ? ["--to", url || "URL"] : [])],
        }}
      />
    </Dialog>
  );
}

function Result({ result }: { result: Schema<"RequestReplayOut"> }) {
  const { attempt } = result;
  return (
    <div role="status" className="flex flex-col gap-2 rounded border border-line bg-sunken px-3 py-2">
      {attempt && (
        <>
          <p className="flex flex-wrap items-center gap-2">
            <StatusMark status={attempt.outcome === "success" ? "delivered" : "failed"} />
            <span className="data">
              {attempt.responseStatusCode || attempt.outcome} · {duration(attempt.responseDurationMs)}
            </span>
          </p>
          {attempt.response && (
            <pre className="data max-h-40 overflow-auto whitespace-pre-wrap break-all">{attempt.response}</pre>
          )}
        </>
      )}
      {result.messages.map((message) => (
        <p key={message.id} className="flex flex-wrap items-center gap-2">
          <StatusMark status="accepted">{t("req.replay.made")}</StatusMark>
          <Link to="/messages" search={{ open: message.id }} className="data">
            {message.id}
          </Link>
        </p>
      ))}
    </div>
  );
}
