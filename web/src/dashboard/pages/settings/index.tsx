import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Settings() {
  return <Page title={t("nav.settings")}>{null}</Page>;
}
