import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, api, ok } from "@/lib/api";
import { baseURL } from "@/lib/base";
import { t } from "@/lib/i18n";
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
  const { methods } = session;
  const error = signIn.error instanceof ApiError ? signIn.error : null;
  return (
    <div className="flex flex-col gap-4">
      {methods.password && (
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            signIn.mutate();
          }}
        >
          <Field label={t("signin.email")} error={error?.fault("email")}>
            <TextInput
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          </Field>
          <Field label={t("signin.password")} error={error?.fault("password")}>
            <TextInput
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
          {signIn.error && error?.status !== 422 && <ErrorText error={signIn.error} />}
          <Button type="submit" look="primary" busy={signIn.isPending}>
            {t("signin.submit")}
          </Button>
        </form>
      )}
      {methods.oidc && (
        <Button nativeButton={false} render={<a href={new URL("api/v1/session/oidc", baseURL).href}>{null}</a>}>
          {t("signin.oidc", { name: methods.oidc.name })}
        </Button>
      )}
    </div>
  );
}
