import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function System() {
  return <Page title={t("nav.system")}>{null}</Page>;
}
