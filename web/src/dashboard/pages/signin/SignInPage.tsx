import { t } from "@/lib/i18n";
import { Logo } from "@/ui/Logo";
import type { Session } from "../../session";
import { SignInForm } from "./SignInForm";

/** What who is not signed in sees, at whatever address they came to. */
export function SignInPage({ session }: { session: Session }) {
  return (
    <main className="mx-auto flex min-h-dvh w-80 max-w-full flex-col gap-5 p-4 pt-[16vh]">
      <Logo size={32} />
      <h1 className="font-semibold text-xl">{t("signin.title")}</h1>
      {session.setupNeeded ? (
        <p className="text-base text-ink-2">{t("signin.setup")}</p>
      ) : (
        <SignInForm session={session} />
      )}
    </main>
  );
}
