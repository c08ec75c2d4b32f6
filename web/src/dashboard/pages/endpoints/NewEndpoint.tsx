import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { EndpointForm } from "@/parts/endpoint/EndpointForm";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Link } from "@/ui/Link";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { termsOf } from "../messages/terms";

interface NewEndpointProps {
  /** The search of the list: an application that it names is chosen. */
  q: string;
  onClose(): void;
  onMade(endpoint: string): void;
}

/** Asks whose endpoint it is and where it sends. */
export function NewEndpoint({ q, onClose, onMade }: NewEndpointProps) {
  const named = termsOf(q)
    .find((term) => term.text.startsWith("app:"))
    ?.text.slice("app:".length)
    .replaceAll('"', "");
  const apps = useQuery({
    queryKey: ["applications", "for-endpoint", named ?? ""],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/app", { params: { query: { q: named, limit: 250 } }, signal })),
    placeholderData: undefined,
  });
  const [chosen, setChosen] = useState("");
  const list = apps.data?.data ?? [];
  const app = chosen || list[0]?.id || "";
  return (
    <Dialog open onClose={onClose} size="medium" title={t("ep.new")}>
      {apps.error && <ErrorText error={apps.error} />}
      {apps.data && list.length === 0 ? (
        <p>
          {t("ep.noApp")} <Link to="/applications">{t("app.new")}</Link>
        </p>
      ) : (
        <EndpointForm appId={app} full code onSaved={(made) => onMade(made.id)} onCancel={onClose}>
          <Field label={t("msg.col.app")}>
            <Select
              label={t("msg.col.app")}
              value={app}
              onChange={setChosen}
              options={list.map((one) => ({ value: one.id, label: one.name, hint: one.uid ?? undefined }))}
            />
          </Field>
        </EndpointForm>
      )}
    </Dialog>
  );
}
