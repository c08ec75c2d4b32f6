import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Issues() {
  return <Page title={t("nav.issues")}>{null}</Page>;
}
