import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { Suspense, useEffect, useRef } from "react";
import { type ApiError, sessionExpired } from "@/lib/api";
import { t } from "@/lib/i18n";
import { useLive } from "@/lib/live";
import { useStore } from "@/lib/store";
import { Button } from "@/ui/Button";
import { OuterLink, PlainLink } from "@/ui/Link";
import { ErrorState, Skeleton } from "@/ui/States";
import { renew } from "./access";
import { configQuery, useShown } from "./config";
import { followHeight, tellHost } from "./host";

/** The frame of the portal: the customer's logo and name, the pages, and the page. */
export function PortalShell() {
  const { data: config, error, isPending } = useQuery(configQuery);
  const box = useRef<HTMLDivElement>(null);
  const name = config?.theme.texts.title || config?.theme.name || t("portal.name");
  useEffect(() => {
    document.title = name;
    if (config) tellHost({ grapnel: "ready" });
    return box.current ? followHeight(box.current) : undefined;
  }, [name, config]);
  if (error) return <NoEntry error={error as ApiError} />;
  if (isPending) return <Skeleton className="mx-auto max-w-5xl p-6" rows={6} />;
  const { logoLight, logoDark, texts } = config.theme;
  return (
    <div ref={box} className="mx-auto flex min-h-dvh max-w-6xl flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2">
        {logoLight && (
          <img src={logoLight} alt="" className="h-6 max-w-40 object-contain in-data-[theme=dark]:hidden" />
        )}
        {(logoDark || logoLight) && (
          <img
            src={logoDark || logoLight}
            alt=""
            className="hidden h-6 max-w-40 object-contain in-data-[theme=dark]:block"
          />
        )}
        <span className="font-semibold text-base">{name}</span>
        <span className="min-w-0 truncate text-ink-3">{config.app.name}</span>
        <PortalPages />
      </header>
      <Expired />
      {texts.welcome && <p className="px-4 pt-3 text-base text-ink-2">{texts.welcome}</p>}
      <main id="main" className="flex min-h-0 min-w-0 flex-1 flex-col">
        <Suspense fallback={<Skeleton className="p-4" />}>
          <Outlet />
        </Suspense>
      </main>
      {(texts.support || texts.supportUrl) && (
        <footer className="border-line border-t px-4 py-3 text-ink-2">
          {texts.supportUrl ? (
            <OuterLink href={texts.supportUrl}>{texts.support || texts.supportUrl}</OuterLink>
          ) : (
            texts.support
          )}
        </footer>
      )}
    </div>
  );
}

function PortalPages() {
  const messages = useShown("messages");
  const catalogue = useShown("catalogue");
  useLive(nothing);
  const pages = [
    { to: "/endpoints", label: t("nav.endpoints"), shown: true },
    { to: "/messages", label: t("nav.messages"), shown: messages },
    { to: "/event-types", label: t("nav.eventTypes"), shown: catalogue },
  ] as const;
  return (
    <nav aria-label={t("nav.label")} className="ml-auto flex flex-wrap gap-1">
      {pages
        .filter((page) => page.shown)
        .map((page) => (
          <PlainLink
            key={page.to}
            to={page.to}
            search={{}}
            activeOptions={{ includeSearch: false }}
            className="flex h-8 items-center rounded px-3 text-ink-2 hover:bg-sunken hover:text-ink data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-ink"
          >
            {page.label}
          </PlainLink>
        ))}
    </nav>
  );
}

const nothing = () => {};

/** Stands over a page whose token ended; what is on it stays. */
function Expired() {
  if (!useStore(sessionExpired)) return null;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-3 bg-failed-soft px-4 py-2">
      <p className="min-w-0 flex-1">
        {t("portal.ended")} {t("portal.ended.hint")}
      </p>
      <Button onClick={() => void renew()}>{t("do.tryAgain")}</Button>
    </div>
  );
}

/** Why the portal does not open. */
function NoEntry({ error }: { error: ApiError }) {
  const known = error.status === 401 || error.status === 422;
  if (!known) return <ErrorState error={error} retry={() => location.reload()} className="mx-auto pt-[16vh]" />;
  return (
    <main className="mx-auto flex max-w-md flex-col gap-3 p-6 pt-[16vh]">
      <h1 className="font-semibold text-xl">{t("portal.closed")}</h1>
      <p className="text-base text-ink-2">{t("portal.closed.text")}</p>
    </main>
  );
}
