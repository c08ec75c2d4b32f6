import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Sources() {
  return <Page title={t("nav.sources")}>{null}</Page>;
}
