import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Overview() {
  return <Page title={t("nav.overview")}>{null}</Page>;
}
