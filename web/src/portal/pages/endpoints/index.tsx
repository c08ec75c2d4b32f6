import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function PortalEndpoints() {
  return <Page title={t("nav.endpoints")}>{null}</Page>;
}
