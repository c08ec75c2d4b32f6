import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useMay } from "@/dashboard/session";
import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/States";
import { Tabs } from "@/ui/Tabs";
import { Account } from "./Account";

const route = getRouteApi("/shell/settings");

/** What belongs to the reader comes first, then what belongs to everybody. */
const tabs = ["account", "passkeys", "sessions", "keys", "members", "environments", "portal", "audit"] as const;
type Tab = (typeof tabs)[number];

/** Only members who administer see these. */
const administered: readonly Tab[] = ["keys", "members", "environments", "portal", "audit"];

const parts = {
  account: Account,
  passkeys: lazy(async () => ({ default: (await import("./Passkeys")).Passkeys })),
  sessions: lazy(async () => ({ default: (await import("./Sessions")).Sessions })),
  keys: lazy(async () => ({ default: (await import("./Keys")).Keys })),
  members: lazy(async () => ({ default: (await import("./Members")).Members })),
  environments: lazy(async () => ({ default: (await import("./Environments")).Environments })),
  portal: lazy(async () => ({ default: (await import("./Portal")).Portal })),
  audit: lazy(async () => ({ default: (await import("./Audit")).Audit })),
};

/** Settings of the reader and of the server, one part at a time. */
export function Settings() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const admin = useMay("admin");
  const shown = tabs.filter((one) => admin || !administered.includes(one));
  const open: Tab = shown.find((one) => one === tab) ?? "account";
  const Part = parts[open];
  return (
    <Page title={t("nav.settings")}>
      <Tabs
        label={t("set.tab")}
        value={open}
        onChange={(next) => void navigate({ search: { tab: next === "account" ? undefined : next } })}
        tabs={shown.map((value) => ({ value, label: t(`set.tab.${value}`) }))}
      >
        <Suspense fallback={<Skeleton rows={4} />}>
          <Part />
        </Suspense>
      </Tabs>
    </Page>
  );
}
