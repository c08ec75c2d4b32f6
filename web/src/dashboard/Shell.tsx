import { Outlet, useNavigate } from "@tanstack/react-router";
import { CircleHelp, Menu as MenuIcon, Search } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { queryClient } from "@/lib/api";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { type LiveEvent, useLive } from "@/lib/live";
import { IconButton } from "@/ui/Button";
import { Kbd } from "@/ui/Kbd";
import { PlainLink } from "@/ui/Link";
import { Logo } from "@/ui/Logo";
import { Skeleton } from "@/ui/States";
import { AppearanceMenu } from "./AppearanceMenu";
import { EnvironmentMenu, EnvironmentStrip } from "./EnvironmentStrip";
import { LiveDot } from "./LiveDot";
import { MeMenu } from "./MeMenu";
import { Drawer, Navigation } from "./Navigation";
import { navItems } from "./nav";

const CommandPalette = lazy(() => import("./CommandPalette"));
const KeyboardSheet = lazy(() => import("./KeyboardSheet"));

/** How far a task is shows wherever it is shown. */
function noteTasks(event: LiveEvent) {
  if (event.tasks?.length || event.more) void queryClient.invalidateQueries({ queryKey: ["tasks"] });
}

/** The frame of every page: strip, bar, navigation, and the page in the middle. */
export function Shell() {
  const [palette, setPalette] = useState(false);
  const [sheet, setSheet] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const navigate = useNavigate();
  useLive(noteTasks);
  useShortcuts([
    { keys: "mod+k", label: t("keys.palette"), run: () => setPalette(true) },
    { keys: "?", label: t("keys.sheet"), run: () => setSheet(true) },
    ...navItems.map((item) => ({
      keys: `g ${item.key}`,
      label: t("keys.go", { page: t(item.label) }),
      run: () => void navigate({ to: item.to }),
    })),
  ]);
  return (
    <div className="flex h-dvh flex-col">
      <button
        type="button"
        onClick={() => document.getElementById("main")?.focus()}
        className="absolute z-50 -translate-y-full bg-ink px-3 py-2 text-paper focus:translate-y-0"
      >
        {t("shell.skip")}
      </button>
      <EnvironmentStrip />
      <header className="flex h-11 shrink-0 items-center gap-2 border-line border-b bg-surface px-3">
        <IconButton icon={MenuIcon} label={t("nav.open")} className="md:hidden" onClick={() => setDrawer(true)} />
        <PlainLink to="/" aria-label={`Grapnel, ${t("nav.overview")}`} className="flex items-center gap-2 rounded-sm">
          <Logo size={20} />
          <span className="hidden font-semibold text-base sm:inline">Grapnel</span>
        </PlainLink>
        <EnvironmentMenu />
        <div className="flex min-w-0 flex-1 justify-end md:justify-center">
          <button
            type="button"
            onClick={() => setPalette(true)}
            className="flex h-7 items-center gap-2 rounded border border-edge/60 px-2 text-ink-3 hover:border-edge md:w-80"
          >
            <Search aria-hidden size={14} strokeWidth={1.5} />
            <span className="flex-1 truncate text-left max-md:sr-only">{t("shell.search")}</span>
            <span aria-hidden className="hidden md:inline">
              <Kbd keys="mod+k" />
            </span>
          </button>
        </div>
        <LiveDot />
        <IconButton
          icon={CircleHelp}
          label={t("shell.help")}
          hint={<Kbd keys="?" />}
          className="max-sm:hidden"
          onClick={() => setSheet(true)}
        />
        <AppearanceMenu />
        <MeMenu />
      </header>
      <div className="flex min-h-0 flex-1">
        <Navigation className="hidden w-48 shrink-0 overflow-y-auto border-line border-r bg-surface md:block" />
        <main id="main" tabIndex={-1} className="min-w-0 flex-1 overflow-auto outline-none">
          <Suspense fallback={<Skeleton className="p-4" />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Drawer open={drawer} onClose={() => setDrawer(false)} />
      <Suspense>
        {palette && <CommandPalette onClose={() => setPalette(false)} onHelp={() => setSheet(true)} />}
        {sheet && <KeyboardSheet onClose={() => setSheet(false)} />}
      </Suspense>
    </div>
  );
}
