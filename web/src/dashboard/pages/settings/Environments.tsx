import { useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus } from "lucide-react";
import { useState } from "react";
import { sessionQuery, useEnvironment, useSession } from "@/dashboard/session";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { elsewhere, faultIn } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { RadioGroup } from "@/ui/Choice";
import { CopyId } from "@/ui/Copy";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Section } from "@/ui/Page";
import { ErrorText } from "@/ui/States";
import { Badge } from "@/ui/Status";
import { Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";

type Environment = Schema<"EnvironmentOut">;
const kinds = ["production", "test"] as const;

/** Separate worlds on one server: each has its own applications, sources, keys and settings. */
export function Environments() {
  const all = useSession().data?.environments ?? [];
  const current = useEnvironment();
  const [form, setForm] = useState<Environment | "new" | null>(null);
  return (
    <Section
      title={t("set.tab.environments")}
      text={t("env.text")}
      actions={
        <Button look="primary" icon={Plus} onClick={() => setForm("new")}>
          {t("env.new")}
        </Button>
      }
    >
      <Table
        label={t("set.tab.environments")}
        head={[
          t("set.name"),
          t("env.kind"),
          "ID",
          t("env.made"),
          <span key="do" className="sr-only">
            {t("do.edit")}
          </span>,
        ]}
        rows={all.map((one) => ({
          key: one.id,
          cells: [
            <span key="name" className="whitespace-nowrap font-medium">
              {one.name} {one.id === current?.id && <Badge>{t("env.this")}</Badge>}
            </span>,
            t(`environment.${one.kind}`),
            <CopyId key="id" id={one.id} />,
            <Time key="made" at={one.createdAt} />,
            <span key="do" className="flex justify-end">
              <Button icon={Pencil} className="h-7" onClick={() => setForm(one)}>
                {t("do.edit")}
              </Button>
            </span>,
          ],
        }))}
      />
      {form && <EnvironmentForm environment={form === "new" ? undefined : form} onClose={() => setForm(null)} />}
    </Section>
  );
}

function EnvironmentForm({ environment, onClose }: { environment?: Environment; onClose(): void }) {
  const client = useQueryClient();
  const [name, setName] = useState(environment?.name ?? "");
  const [kind, setKind] = useState<Environment["kind"]>(environment?.kind ?? "test");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const body = { name: name.trim(), kind };
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    const call = environment
      ? ok(api.PATCH("/api/v1/management/environment/{env}", { params: { path: { env: environment.id } }, body }))
      : ok(api.POST("/api/v1/management/environment", { body }));
    call
      .then(
        async () => {
          await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
          toast(t("set.saved"));
          onClose();
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      open
      onClose={onClose}
      size="medium"
      title={environment ? t("env.change") : t("env.new")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button look="primary" type="submit" form="environment" busy={busy} disabled={name.trim() === ""}>
            {t(environment ? "do.save" : "do.create")}
          </Button>
        </>
      }
    >
      <form id="environment" onSubmit={save} className="flex flex-col gap-4">
        <Field label={t("set.name")} error={faultIn(error, "name")}>
          <TextInput autoFocus maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <RadioGroup
          label={t("env.kind")}
          value={kind}
          onChange={(next) => setKind(next as Environment["kind"])}
          options={kinds.map((value) => ({ value, label: t(`environment.${value}`), hint: t(`env.kind.${value}`) }))}
        />
      </form>
      {error && elsewhere(error, ["name"]) && <ErrorText error={error} />}
      <FromCode
        call={{
          method: environment ? "PATCH" : "POST",
          path: `api/v1/management/environment${environment ? `/${environment.id}` : ""}`,
          body: JSON.stringify(body),
        }}
      />
    </Dialog>
  );
}
