import { t } from "@/lib/i18n";
import { EndpointForm } from "@/parts/endpoint/EndpointForm";
import { HeadersPanel } from "@/parts/endpoint/HeadersPanel";
import { SecretPanel } from "@/parts/endpoint/SecretPanel";
import { Section } from "@/ui/Page";
import { toast } from "@/ui/Toast";
import type { EndpointRow } from "./queries";

interface SettingsProps {
  row: EndpointRow;
  part: "settings" | "security";
  reason?: string;
}

/** What can be changed of an endpoint: where it sends and what; its secret and headers. */
export function Settings({ row, part, reason }: SettingsProps) {
  if (part === "settings") {
    return (
      <div className="max-w-2xl">
        <EndpointForm
          key={row.updatedAt}
          appId={row.appId}
          endpoint={row}
          full
          code
          reason={reason}
          onSaved={() => toast(t("ep.saved"))}
        />
      </div>
    );
  }
  return (
    <div className="max-w-3xl">
      <Section title={t("ep.secret")} text={t("ep.secret.text")}>
        <SecretPanel appId={row.appId} endpointId={row.id} viewReason={reason} rotateReason={reason} code />
      </Section>
      <Section title={t("ep.headers")}>
        <HeadersPanel appId={row.appId} endpointId={row.id} reason={reason} code />
      </Section>
    </div>
  );
}
