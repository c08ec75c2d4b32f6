import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Endpoints() {
  return <Page title={t("nav.endpoints")}>{null}</Page>;
}
