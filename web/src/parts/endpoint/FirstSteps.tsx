import { useQuery } from "@tanstack/react-query";
import { Send } from "lucide-react";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Section } from "@/ui/Page";
import { type Endpoint, healthQuery } from "./queries";
import { SecretPanel } from "./SecretPanel";

interface FirstStepsProps {
  appId: string;
  endpoint: Endpoint;
  viewReason?: string;
  rotateReason?: string;
  code?: boolean;
  /** Opens the test; endpoints of sources have none. */
  onTest?(): void;
}

/** So long an endpoint is new. */
const fresh = 86_400_000;

/** What is to do at an endpoint that was just made: take the secret over and try it. Nothing once it was sent something. */
export function FirstSteps({ appId, endpoint, viewReason, rotateReason, code, onTest }: FirstStepsProps) {
  const health = useQuery(healthQuery(appId, endpoint.id, 24));
  if (health.data?.attempts !== 0 || Date.now() - Date.parse(endpoint.createdAt) > fresh) return null;
  return (
    <Section
      title={t("ep.first")}
      text={t("ep.first.text")}
      actions={
        onTest && (
          <Button icon={Send} onClick={onTest}>
            {t("ep.test.send")}
          </Button>
        )
      }
    >
      <div className="max-w-3xl">
        <SecretPanel
          appId={appId}
          endpointId={endpoint.id}
          viewReason={viewReason}
          rotateReason={rotateReason}
          code={code}
        />
      </div>
    </Section>
  );
}
