import { type ReactNode, useEffect, useState } from "react";
import { t } from "@/lib/i18n";
import { Logo } from "@/ui/Logo";
import { ErrorText } from "@/ui/States";
import type { Session } from "../../session";
import { SignInForm } from "./SignInForm";

/** The page around every way in. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} – Grapnel`;
  }, [title]);
  return (
    <main className="mx-auto flex min-h-dvh w-88 max-w-full flex-col gap-5 p-4 pt-[12vh]">
      <Logo size={32} />
      <h1 className="font-semibold text-xl">{title}</h1>
      {children}
    </main>
  );
}

/** What a provider's refusal left in the address, taken out of it. */
function takeRefusal(): string {
  const url = new URL(location.href);
  const refusal = url.searchParams.get("signInError") ?? "";
  if (refusal) {
    url.searchParams.delete("signInError");
    history.replaceState(history.state, "", url);
  }
  return refusal;
}

/** What who is not signed in sees, at whatever address they came to. */
export function SignInPage({ session }: { session: Session }) {
  const [refusal, setRefusal] = useState("");
  useEffect(() => setRefusal((old) => takeRefusal() || old), []);
  return (
    <Door title={t("signin.title")}>
      {refusal && <ErrorText error={new Error(refusal)} />}
      {session.setupNeeded ? (
        <p className="text-base text-ink-2">{t("signin.setup")}</p>
      ) : (
        <>
          <SignInForm session={session} />
          <p className="text-ink-3 text-xs">{t("signin.lost")}</p>
        </>
      )}
    </Door>
  );
}
