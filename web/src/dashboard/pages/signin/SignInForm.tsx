import { useMutation } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { ApiError, api, ok } from "@/lib/api";
import { baseURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { askPasskey, passkeysWork, wasCanceled } from "@/lib/passkey";
import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import { type Session, useTakeSession } from "../../session";

/** Signs in by whatever ways the server offers; on its own page and over a page whose session ended. */
export function SignInForm({ session, email: known = "" }: { session: Session; email?: string }) {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState("");
  const take = useTakeSession();
  const signIn = useMutation({
    mutationFn: () => ok(api.POST("/api/v1/session", { body: { email, password } })),
    onSuccess: take,
  });
  const passkey = useMutation({
    mutationFn: async () => {
      const { ticket, options } = await ok(api.POST("/api/v1/session/passkey/begin"));
      const credential = await askPasskey(options);
      return ok(api.POST("/api/v1/session/passkey/finish", { body: { ticket, credential } }));
    },
    onSuccess: take,
  });
  const { methods } = session;
  const faults = signIn.error instanceof ApiError ? signIn.error : null;
  const failed = signIn.error ?? (wasCanceled(passkey.error) ? null : passkey.error);
  return (
    <div className="flex flex-col gap-4">
      {methods.password && (
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            passkey.reset();
            signIn.mutate();
          }}
        >
          <Field label={t("signin.email")} error={faults?.fault("email")}>
            <TextInput
              type="email"
              autoComplete="username webauthn"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          </Field>
          <Field label={t("signin.password")} error={faults?.fault("password")}>
            <TextInput
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
          {failed && faults?.status !== 422 && <ErrorText error={failed} />}
          <Button type="submit" look="primary" busy={signIn.isPending}>
            {t("signin.submit")}
          </Button>
        </form>
      )}
      {(methods.passkey && passkeysWork()) || methods.oidc ? (
        <p className="flex items-center gap-2 text-ink-3 before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
          {t("signin.or")}
        </p>
      ) : null}
      {methods.passkey && passkeysWork() && (
        <Button
          icon={KeyRound}
          busy={passkey.isPending}
          onClick={() => {
            signIn.reset();
            passkey.mutate();
          }}
        >
          {t("signin.passkey")}
        </Button>
      )}
      {methods.oidc && (
        <Button nativeButton={false} render={<a href={new URL("api/v1/session/oidc", baseURL).href}>{null}</a>}>
          {t("signin.oidc", { name: methods.oidc.name })}
        </Button>
      )}
    </div>
  );
}
