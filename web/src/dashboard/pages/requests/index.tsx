import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Requests() {
  return <Page title={t("nav.requests")}>{null}</Page>;
}
