import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { useEffect } from "react";
import { t } from "@/lib/i18n";
import { ErrorState, Skeleton } from "@/ui/States";
import { configQuery } from "./config";

/** The frame of the portal: the customer's logo and name, and the page. */
export function PortalShell() {
  const { data: config, error } = useQuery(configQuery);
  const name = config?.theme.name || t("portal.name");
  useEffect(() => {
    document.title = name;
  }, [name]);
  if (error) return <ErrorState error={error} className="mx-auto pt-[16vh]" />;
  if (!config) return <Skeleton className="mx-auto max-w-5xl p-6" rows={6} />;
  const { logoLight, logoDark } = config.theme;
  return (
    <div className="mx-auto flex min-h-dvh max-w-6xl flex-col">
      <header className="flex h-12 shrink-0 items-center gap-3 border-line border-b px-4">
        {logoLight && (
          <img src={logoLight} alt="" className="h-6 max-w-40 object-contain in-data-[theme=dark]:hidden" />
        )}
        {logoLight && (
          <img
            src={logoDark || logoLight}
            alt=""
            className="hidden h-6 max-w-40 object-contain in-data-[theme=dark]:block"
          />
        )}
        <span className="font-semibold text-base">{name}</span>
        <span className="min-w-0 truncate text-ink-3">{config.app.name}</span>
      </header>
      <main className="min-w-0 flex-1">
        <Outlet />
      </main>
    </div>
  );
}
