import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function EventTypes() {
  return <Page title={t("nav.eventTypes")}>{null}</Page>;
}
