import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Applications() {
  return <Page title={t("nav.applications")}>{null}</Page>;
}
