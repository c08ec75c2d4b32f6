import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import type { Session } from "../../session";

interface ChooseFormProps {
  code: string;
  link: Schema<"LinkOut">;
  onEnter(session: Session): void;
}

/** Name and password of who came by a set-up, an invitation or a reset. */
export function ChooseForm({ code, link, onEnter }: ChooseFormProps) {
  const setup = link.kind === "setup";
  const [name, setName] = useState(link.name ?? "");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const save = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/v1/setup", {
          body: { code, name: name || undefined, email: setup ? email : undefined, password: password || undefined },
        }),
      ),
    onSuccess: onEnter,
  });
  const faults = save.error instanceof ApiError ? save.error : null;
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {link.kind !== "reset" && (
        <Field label={t("link.name")} error={faults?.fault("name")}>
          <TextInput autoComplete="name" required value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
      )}
      {setup && (
        <Field label={t("signin.email")} error={faults?.fault("email")}>
          <TextInput
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </Field>
      )}
      {/* Tells a password manager whose password it keeps. */}
      {!setup && link.email && <input type="hidden" autoComplete="username" value={link.email} />}
      <Field label={t("signin.password")} hint={t("link.password.hint")} error={faults?.fault("password")}>
        <TextInput
          type="password"
          autoComplete="new-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      {save.error && faults?.status !== 422 && <ErrorText error={save.error} />}
      <Button type="submit" look="primary" busy={save.isPending}>
        {t(`link.${link.kind}.submit` as "link.setup.submit")}
      </Button>
    </form>
  );
}
