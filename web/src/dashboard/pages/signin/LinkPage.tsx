import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { ErrorText, Skeleton } from "@/ui/States";
import { type Session, useTakeSession } from "../../session";
import { ChooseForm } from "./ChooseForm";
import { Door } from "./SignInPage";

/** The code behind the "#", which leaves the address at once. It is kept while the page is open. */
function takeCode(): string {
  const code = new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
  if (code) history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}

/** Where a link of the server leads: it makes the first member, lets one choose a password, or signs in. */
export function LinkPage() {
  const [code, setCode] = useState("");
  useEffect(() => {
    const take = () => setCode((old) => takeCode() || old);
    take();
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  const navigate = useNavigate();
  const take = useTakeSession();
  const enter = (session: Session) => {
    take(session);
    void navigate({ to: "/", replace: true });
  };
  const link = useQuery({
    queryKey: ["link", code],
    queryFn: () => ok(api.POST("/api/v1/link", { body: { code } })),
    enabled: code !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    placeholderData: undefined,
  });
  if (code === "")
    return <Door title={t("signin.title")}>{<p className="text-base text-ink-2">{t("link.none")}</p>}</Door>;
  if (link.error) return <Door title={t("link.bad")}>{<ErrorText error={link.error} />}</Door>;
  if (!link.data) return <Door title={t("signin.title")}>{<Skeleton rows={4} />}</Door>;
  if (link.data.kind === "signin") return <SigningIn code={code} onEnter={enter} />;
  return (
    <Door title={t(`link.${link.data.kind}`)}>
      <p className="text-base text-ink-2">{about(link.data)}</p>
      <ChooseForm code={code} link={link.data} onEnter={enter} />
    </Door>
  );
}

const about = (link: Schema<"LinkOut">): string =>
  link.kind === "setup" ? t("link.setup.text") : t("link.for", { email: link.email ?? "" });

function SigningIn({ code, onEnter }: { code: string; onEnter(session: Session): void }) {
  const { mutate, error } = useMutation({
    mutationFn: () => ok(api.POST("/api/v1/session", { body: { code } })),
    onSuccess: onEnter,
  });
  useEffect(() => mutate(), [mutate]);
  return <Door title={t("signin.title")}>{error ? <ErrorText error={error} /> : <Skeleton rows={4} />}</Door>;
}
