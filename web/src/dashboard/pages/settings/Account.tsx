import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type Session, useSession, useTakeSession } from "@/dashboard/session";
import { ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { Facts, Section } from "@/ui/Page";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";

/** The reader's own name and password. */
export function Account() {
  const { data: session } = useSession();
  if (!session?.member) return null;
  const { member } = session;
  return (
    <>
      <Section title={t("set.me")}>
        <Name name={member.name} />
        <Facts
          className="mt-4"
          items={[
            [t("set.email"), member.email],
            [t("set.role"), `${t(`role.${member.role}`)} – ${t(`role.${member.role}.text`)}`],
            [t("set.payloads"), t(member.mayReadPayloads ? "set.payloads.yes" : "set.payloads.no")],
          ]}
        />
      </Section>
      <Section title={t("set.password")} text={t(session.passwordSet ? "set.password.text" : "set.password.none")}>
        <Password session={session} />
      </Section>
    </>
  );
}

function Name({ name: before }: { name: string }) {
  const [name, setName] = useState(before);
  const take = useTakeSession();
  const save = useMutation({
    mutationFn: () => ok(api.PATCH("/api/v1/session/member", { body: { name: name.trim() } })),
    onSuccess: (session) => {
      take(session);
      toast(t("set.saved"));
    },
  });
  const fault = save.error instanceof ApiError ? save.error.fault("name") : undefined;
  return (
    <form
      className="flex max-w-md flex-col items-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Field label={t("set.name")} error={fault} className="w-full">
        <TextInput autoComplete="name" required value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      {save.error && !fault && <ErrorText error={save.error} />}
      <Button type="submit" busy={save.isPending} disabled={name.trim() === "" || name === before}>
        {t("do.save")}
      </Button>
    </form>
  );
}

function Password({ session }: { session: Session }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const take = useTakeSession();
  const save = useMutation({
    mutationFn: () =>
      ok(
        api.PATCH("/api/v1/session/member", {
          body: { password: { new: next, ...(session.passwordSet && { current }) } },
        }),
      ),
    onSuccess: (session) => {
      take(session);
      setCurrent("");
      setNext("");
      toast(t("set.password.saved"));
    },
  });
  const error = save.error instanceof ApiError ? save.error : null;
  const fault = (name: string) => error?.faults.find(({ loc }) => loc.at(-1) === name)?.msg;
  return (
    <form
      className="flex max-w-md flex-col items-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {/* Tells a password manager whose password it keeps. */}
      <input type="hidden" autoComplete="username" value={session.member?.email} />
      {session.passwordSet && (
        <Field label={t("set.password.current")} error={fault("current")} className="w-full">
          <TextInput
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        </Field>
      )}
      <Field label={t("set.password.new")} hint={t("password.hint")} error={fault("new")} className="w-full">
        <TextInput
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          value={next}
          onChange={(event) => setNext(event.target.value)}
        />
      </Field>
      {save.error && !fault("current") && !fault("new") && <ErrorText error={save.error} />}
      <Button type="submit" busy={save.isPending} disabled={next === ""}>
        {t(session.passwordSet ? "set.password.change" : "set.password.set")}
      </Button>
    </form>
  );
}
