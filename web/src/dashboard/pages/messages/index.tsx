import { t } from "@/lib/i18n";
import { Page } from "@/ui/Page";

export function Messages() {
  return <Page title={t("nav.messages")}>{null}</Page>;
}
