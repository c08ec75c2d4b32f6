import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { elsewhere, faultIn } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Choice";
import { CopyButton } from "@/ui/Copy";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";

const scopes = ["read", "publish", "manage"] as const;
type Scope = (typeof scopes)[number];

/** Makes a key, and shows it this once. */
export function NewKey({ env, onClose }: { env: string; onClose(): void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<Scope>>(new Set(scopes));
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const all = chosen.size === scopes.length;
  const body = { name: name.trim(), ...(!all && { scopes: scopes.filter((one) => chosen.has(one)) }) };
  const make = (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    ok(api.POST("/api/v1/management/authentication/{env}/api-token", { params: { path: { env } }, body }))
      .then(
        (made) => {
          setToken(made.token);
          void client.invalidateQueries({ queryKey: ["api-keys"] });
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const toggle = (scope: Scope, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(scope);
    else next.delete(scope);
    setChosen(next);
  };
  if (token)
    return (
      <Dialog
        open
        firm
        onClose={onClose}
        size="medium"
        title={t("key.made.title")}
        text={t("key.made.text")}
        actions={
          <Button look="primary" onClick={onClose}>
            {t("key.made.done")}
          </Button>
        }
      >
        <p className="data break-all rounded border border-line bg-sunken px-2 py-1.5">{token}</p>
        <div>
          <CopyButton text={token} withLabel />
        </div>
      </Dialog>
    );
  return (
    <Dialog
      open
      onClose={onClose}
      size="medium"
      title={t("key.new")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button
            look="primary"
            type="submit"
            form="new-key"
            busy={busy}
            disabled={name.trim() === "" || chosen.size === 0}
          >
            {t("do.create")}
          </Button>
        </>
      }
    >
      <form id="new-key" onSubmit={make} className="flex flex-col gap-4">
        <Field label={t("set.name")} hint={t("key.name.hint")} error={faultIn(error, "name")}>
          <TextInput autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <fieldset className="flex flex-col gap-1">
          <legend className="pb-1 font-medium">{t("key.scopes")}</legend>
          {scopes.map((scope) => (
            <Checkbox
              key={scope}
              label={t(`key.scope.${scope}`)}
              hint={t(`key.scope.${scope}.hint`)}
              checked={chosen.has(scope)}
              onChange={(on) => toggle(scope, on)}
            />
          ))}
        </fieldset>
      </form>
      {error && elsewhere(error, ["name"]) && <ErrorText error={error} />}
      <FromCode
        call={{
          method: "POST",
          path: `api/v1/management/authentication/${env}/api-token`,
          body: JSON.stringify(body),
          cli: ["keys", "create", body.name || "NAME", ...(body.scopes ?? []).flatMap((scope) => ["--scope", scope])],
        }}
      />
    </Dialog>
  );
}
