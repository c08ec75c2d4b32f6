import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { ErrorText } from "@/ui/States";
import { useTakeSession } from "../../session";

/** Signs in with the code behind the "#", which leaves the address at once. */
export function LinkPage() {
  const navigate = useNavigate();
  const take = useTakeSession();
  const { mutate, error } = useMutation({
    mutationFn: (code: string) => ok(api.POST("/api/v1/session", { body: { code } })),
    onSuccess: (session) => {
      take(session);
      void navigate({ to: "/" });
    },
  });
  useEffect(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (!code) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    mutate(code);
  }, [mutate]);
  return (
    <main className="mx-auto flex min-h-dvh w-96 max-w-full flex-col gap-4 p-4 pt-[16vh]">
      <h1 className="font-semibold text-xl">{t("signin.title")}</h1>
      {error && <ErrorText error={error} />}
    </main>
  );
}
