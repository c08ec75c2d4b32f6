import { sessionExpired } from "@/lib/api";
import { t } from "@/lib/i18n";
import { useStore } from "@/lib/store";
import { Dialog } from "@/ui/Dialog";
import { ErrorState, Skeleton } from "@/ui/States";
import { SignInForm } from "./pages/signin/SignInForm";
import { SignInPage } from "./pages/signin/SignInPage";
import { Shell } from "./Shell";
import { useSession } from "./session";

/** Lets members in. Others sign in where they are: the address stays, and so does the page of one whose session ended. */
export function Gate() {
  const session = useSession();
  const expired = useStore(sessionExpired);
  if (session.data === undefined) {
    return session.error ? (
      <ErrorState error={session.error} retry={() => void session.refetch()} />
    ) : (
      <Skeleton className="p-6" rows={6} />
    );
  }
  if (!session.data.signedIn) return <SignInPage session={session.data} />;
  return (
    <>
      <Shell />
      <Dialog open={expired} onClose={() => {}} firm title={t("signin.again")} text={t("signin.expired")}>
        <SignInForm session={session.data} email={session.data.member?.email} />
      </Dialog>
    </>
  );
}
