import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/dashboard/session";
import { ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { Section } from "@/ui/Page";
import { ErrorText } from "@/ui/States";
import { type Issue, issueQuery } from "./queries";

/** Who looks after an issue, and what they found. */
export function NoteForm({ issue }: { issue: Issue }) {
  const client = useQueryClient();
  const may = useMay("developer");
  const [assignee, setAssignee] = useState(issue.assignee);
  const [note, setNote] = useState(issue.note);
  const save = useMutation({
    mutationFn: () =>
      ok(
        api.PATCH("/api/v1/issue/{issue}", {
          params: { path: { issue: issue.id } },
          body: { assignee: assignee || null, note: note || null },
        }),
      ),
    onSuccess: (next) => {
      client.setQueryData(issueQuery(issue.id).queryKey, (old) => ({ ...old, ...next }));
      void client.invalidateQueries({ queryKey: ["issues"] });
    },
  });
  const faults = save.error instanceof ApiError ? save.error : null;
  const same = assignee === issue.assignee && note === issue.note;
  return (
    <Section title={t("issue.notes")}>
      <form
        className="flex max-w-xl flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Field label={t("issue.assignee")} optional error={faults?.fault("assignee")}>
          <TextInput readOnly={!may} value={assignee} onChange={(event) => setAssignee(event.target.value)} />
        </Field>
        <Field label={t("issue.note")} optional error={faults?.fault("note")}>
          <TextArea readOnly={!may} rows={3} value={note} onChange={(event) => setNote(event.target.value)} />
        </Field>
        {save.error && faults?.status !== 422 && <ErrorText error={save.error} />}
        <div>
          <Button type="submit" busy={save.isPending} disabled={same} reason={may ? undefined : t("issue.may")}>
            {t("do.save")}
          </Button>
        </div>
      </form>
    </Section>
  );
}
