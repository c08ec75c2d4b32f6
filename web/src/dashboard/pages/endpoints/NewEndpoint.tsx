import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { termsOf } from "@/dashboard/search/terms";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { EndpointForm } from "@/parts/endpoint/EndpointForm";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Link } from "@/ui/Link";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";

interface NewEndpointProps {
  /** The search of the list: an application that it names is chosen. */
  q: string;
  onClose(): void;
  onMade(endpoint: string): void;
}

/** The applications one can choose from; where there are more, one looks for the one that is meant. */
const most = 100;

/** Asks whose endpoint it is and where it sends. */
export function NewEndpoint({ q, onClose, onMade }: NewEndpointProps) {
  const named = termsOf(q)
    .find((term) => term.text.startsWith("app:"))
    ?.text.slice("app:".length)
    .replaceAll('"', "");
  const [find, setFind] = useState(named ?? "");
  const apps = useQuery({
    queryKey: ["applications", "for-endpoint", find],
    queryFn: ({ signal }) =>
      ok(api.GET("/api/v1/app", { params: { query: { q: find || undefined, limit: most } }, signal })),
  });
  const [chosen, setChosen] = useState("");
  const list = apps.data?.data ?? [];
  const only = list.length === 1 ? list[0]?.id : undefined;
  const app = list.some((one) => one.id === chosen) ? chosen : (only ?? "");
  const many = apps.data !== undefined && (!apps.data.done || find !== (named ?? ""));
  const choices = list.map((one) => ({ value: one.id, label: one.name, hint: one.uid ?? undefined }));
  return (
    <Dialog open onClose={onClose} size="medium" title={t("ep.new")}>
      {apps.error && <ErrorText error={apps.error} />}
      {apps.data && list.length === 0 && find === "" ? (
        <p>
          {t("ep.noApp")}{" "}
          <Link to="/applications" search={{}}>
            {t("app.new")}
          </Link>
        </p>
      ) : (
        <EndpointForm appId={app} full code onSaved={(made) => onMade(made.id)} onCancel={onClose}>
          {many && (
            <Field label={t("ep.app.find")}>
              <TextInput value={find} onChange={(event) => setFind(event.target.value)} />
            </Field>
          )}
          <Field label={t("msg.col.app")}>
            <Select
              label={t("msg.col.app")}
              value={app}
              onChange={setChosen}
              options={app === "" ? [{ value: "", label: t("ep.app.choose"), disabled: true }, ...choices] : choices}
            />
          </Field>
        </EndpointForm>
      )}
    </Dialog>
  );
}
