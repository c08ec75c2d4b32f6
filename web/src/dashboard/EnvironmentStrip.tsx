import { useNavigate } from "@tanstack/react-router";
import { ChevronDown, Settings } from "lucide-react";
import { t } from "@/lib/i18n";
import { cx } from "@/ui/cx";
import { Menu, MenuChoice, MenuItem, MenuLine } from "@/ui/Menu";
import { useEnvironment, useMay, useSession } from "./session";

/** A line across the top in the colour of the environment's kind: production ink, test amber. The name is in the bar. */
export function EnvironmentStrip() {
  const kind = useEnvironment()?.kind;
  return <div aria-hidden className={cx("h-1 shrink-0", kind === "test" ? "bg-strip-test" : "bg-strip-production")} />;
}

/** Name and kind of the environment, and the way to another. */
export function EnvironmentMenu() {
  const all = useSession().data?.environments ?? [];
  const mine = useEnvironment();
  const admin = useMay("admin");
  const navigate = useNavigate();
  if (!mine) return null;
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="flex h-7 min-w-0 items-center gap-1.5 rounded px-2 hover:bg-sunken data-popup-open:bg-sunken"
        >
          <span className="sr-only">{t("shell.environment")}</span>
          <span className="max-w-28 truncate font-medium sm:max-w-48">{mine.name}</span>
          <span
            className={cx(
              "rounded-sm px-1.5 text-xs max-sm:hidden",
              mine.kind === "test"
                ? "bg-strip-test text-on-strip-test"
                : "bg-strip-production text-on-strip-production",
            )}
          >
            {t(mine.kind === "test" ? "environment.test" : "environment.production")}
          </span>
          <ChevronDown aria-hidden size={14} strokeWidth={1.5} className="text-ink-3" />
        </button>
      }
    >
      <MenuChoice
        label={t("shell.environments")}
        value={mine.id}
        onChange={(id) => void navigate({ to: ".", search: { env: id === all[0]?.id ? undefined : id } as never })}
        options={all.map((one) => ({
          value: one.id,
          label: (
            <span className="flex flex-1 items-center justify-between gap-6">
              <span className="truncate">{one.name}</span>
              <span className="text-ink-3 text-xs">
                {t(one.kind === "test" ? "environment.test" : "environment.production")}
              </span>
            </span>
          ),
        }))}
      />
      {admin && (
        <>
          <MenuLine />
          <MenuItem
            icon={Settings}
            onSelect={() => void navigate({ to: "/settings", search: { tab: "environments" } })}
          >
            {t("shell.manageEnvironments")}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
