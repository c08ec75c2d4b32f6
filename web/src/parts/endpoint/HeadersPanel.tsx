import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button, IconButton } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Field, TextInput } from "@/ui/Field";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { faultIn } from "./form";
import { headersQuery } from "./queries";

interface HeadersPanelProps {
  appId: string;
  endpointId: string;
  reason?: string;
  code?: boolean;
}

/** Request headers that go with each delivery. Values that are secret come back masked. */
export function HeadersPanel({ appId, endpointId, reason, code }: HeadersPanelProps) {
  const client = useQueryClient();
  const query = useQuery(headersQuery(appId, endpointId));
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  if (query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton rows={2} />;
  const { headers, sensitive } = query.data;
  const names = [...Object.keys(headers), ...sensitive].sort();
  const change = async (body: { headers?: Record<string, string>; deleteHeaders?: string[] }) => {
    setBusy(true);
    setError(null);
    try {
      const params = { path: { app: appId, ep: endpointId } };
      await ok(api.PATCH("/api/v1/app/{app}/endpoint/{ep}/headers", { params, body }));
      await client.invalidateQueries({ queryKey: headersQuery(appId, endpointId).queryKey });
      return true;
    } catch (why) {
      setError(why as ApiError);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const add = async (event: React.FormEvent) => {
    event.preventDefault();
    if (await change({ headers: { [name.trim()]: value } })) {
      setName("");
      setValue("");
    }
  };
  const known = names.some((one) => one.toLowerCase() === name.trim().toLowerCase());
  const fault = faultIn(error, "headers") ?? faultIn(error, "deleteHeaders");
  return (
    <div className="flex min-w-0 flex-col gap-3">
      {names.length === 0 ? (
        <p className="text-ink-2">{t("ep.headers.none")}</p>
      ) : (
        <ul className="border-line border-t">
          {names.map((one) => (
            <li key={one} className="flex min-h-(--row) items-center gap-3 border-line border-b py-0.5">
              <span className="data w-1/3 min-w-0 break-all">{one}</span>
              <span className="data min-w-0 flex-1 break-all text-ink-2">
                {headers[one] ?? (
                  <>
                    <span aria-hidden>••••••••</span>
                    <span className="ml-2 font-sans text-ink-3 text-xs">{t("ep.headers.masked")}</span>
                  </>
                )}
              </span>
              <IconButton
                icon={Trash2}
                label={t("ep.headers.remove", { name: one })}
                reason={reason}
                disabled={busy}
                onClick={() => void change({ deleteHeaders: [one] })}
              />
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={(event) => void add(event)} className="flex flex-wrap items-start gap-2">
        <Field label={t("ep.headers.name")} labelHidden className="w-48" error={fault}>
          <TextInput
            mono
            placeholder={t("ep.headers.name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <Field label={t("ep.headers.value")} labelHidden className="min-w-0 flex-1 basis-48">
          <TextInput
            mono
            placeholder={t("ep.headers.value")}
            autoComplete="off"
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </Field>
        <Button icon={Plus} type="submit" busy={busy} disabled={name.trim() === ""} reason={reason}>
          {known ? t("ep.headers.replace") : t("ep.headers.add")}
        </Button>
      </form>
      {error && fault === undefined && <ErrorText error={error} />}
      {code && (
        <FromCode
          call={{
            method: "PATCH",
            path: `api/v1/app/${appId}/endpoint/${endpointId}/headers`,
            body: JSON.stringify({ headers: { [name.trim() || "X-Name"]: "…" } }),
          }}
        />
      )}
    </div>
  );
}
