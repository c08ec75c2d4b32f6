import { useState } from "react";
import { useMay } from "@/dashboard/session";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { elsewhere, faultIn } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { Checkbox, RadioGroup } from "@/ui/Choice";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";
import type { Member } from "./Members";

const roles = ["viewer", "developer", "admin", "owner"] as const;

interface MemberFormProps {
  /** The member to change; a new one is invited without. */
  member?: Member;
  onClose(): void;
  /** With the invitation, where there is one. */
  onSaved(made?: Schema<"MemberCreateOut">): void;
}

/** Invites a member, or changes what one may do. */
export function MemberForm({ member, onClose, onSaved }: MemberFormProps) {
  const owner = useMay("owner");
  const [email, setEmail] = useState("");
  const [name, setName] = useState(member?.name ?? "");
  const [role, setRole] = useState<Member["role"]>(member?.role ?? "developer");
  const [payloads, setPayloads] = useState(member?.mayReadPayloads ?? true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const rights = { role, mayReadPayloads: payloads };
  const body = member
    ? { name: name.trim(), ...rights }
    : { email: email.trim(), ...(name.trim() && { name: name.trim() }), ...rights };
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    const done = member
      ? ok(
          api.PATCH("/api/v1/member/{member}", {
            params: { path: { member: member.id } },
            body: { name: name.trim(), ...rights },
          }),
        ).then(() => onSaved())
      : ok(api.POST("/api/v1/member", { body: body as Schema<"MemberIn"> })).then(onSaved);
    done
      .then(
        () => member && toast(t("set.saved")),
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      open
      onClose={onClose}
      size="medium"
      title={member ? t("member.change", { name: member.name }) : t("member.invite")}
      text={member ? undefined : t("member.invite.text")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button
            look="primary"
            type="submit"
            form="member"
            busy={busy}
            disabled={member ? name.trim() === "" : email.trim() === ""}
          >
            {t(member ? "do.save" : "member.invite.do")}
          </Button>
        </>
      }
    >
      <form id="member" onSubmit={save} className="flex flex-col gap-4">
        {!member && (
          <Field label={t("set.email")} error={faultIn(error, "email")}>
            <TextInput
              type="email"
              required
              autoFocus
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          </Field>
        )}
        <Field label={t("set.name")} optional={!member} error={faultIn(error, "name")}>
          <TextInput value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <RadioGroup
          label={t("set.role")}
          value={role}
          onChange={(next) => {
            setRole(next);
            if (!member) setPayloads(next !== "viewer");
          }}
          options={roles.map((value) => ({
            value,
            label: t(`role.${value}`),
            hint: t(`role.${value}.text`),
            disabled: value === "owner" && !owner,
          }))}
        />
        <Checkbox
          label={t("member.payloads")}
          hint={t("member.payloads.hint")}
          checked={payloads}
          onChange={setPayloads}
        />
      </form>
      {error && elsewhere(error, ["email", "name"]) && <ErrorText error={error} />}
      <FromCode
        call={{
          method: member ? "PATCH" : "POST",
          path: member ? `api/v1/member/${member.id}` : "api/v1/member",
          body: JSON.stringify(body),
        }}
      />
    </Dialog>
  );
}
