import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { isThereAlready, makePasskey, passkeysWork, wasCanceled } from "@/lib/passkey";
import { Button, IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Section } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";

const passkeysQuery = queryOptions({
  queryKey: ["passkeys"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/passkey", { signal })),
});

/** Signing in with a finger or a face in place of a password. */
export function Passkeys() {
  const client = useQueryClient();
  const found = useQuery(passkeysQuery);
  const [removing, setRemoving] = useState<Schema<"PasskeyOut"> | null>(null);
  const remove = async () => {
    if (!removing) return;
    await ok(api.DELETE("/api/v1/passkey/{passkey}", { params: { path: { passkey: removing.id } } }));
    await client.invalidateQueries(passkeysQuery);
  };
  return (
    <Section title={t("set.tab.passkeys")} text={t("passkey.text")}>
      <Add />
      <div className="mt-4">
        {found.error ? (
          <ErrorState error={found.error} retry={() => void found.refetch()} />
        ) : !found.data ? (
          <Skeleton rows={2} />
        ) : (
          <Table
            label={t("set.tab.passkeys")}
            empty={t("passkey.none")}
            head={[
              t("set.name"),
              t("passkey.added"),
              t("set.lastUsed"),
              <span key="do" className="sr-only">
                {t("do.delete")}
              </span>,
            ]}
            rows={found.data.data.map((one) => ({
              key: one.id,
              cells: [
                <span key="name" className="font-medium">
                  {one.name}
                </span>,
                <Time key="added" at={one.createdAt} />,
                one.lastUsedAt ? <Time key="used" at={one.lastUsedAt} /> : t("set.never"),
                <span key="do" className="flex justify-end">
                  <IconButton
                    icon={Trash2}
                    label={t("passkey.remove", { name: one.name })}
                    onClick={() => setRemoving(one)}
                  />
                </span>,
              ],
            }))}
          />
        )}
      </div>
      <ConfirmDialog
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={t("passkey.remove", { name: removing?.name ?? "" })}
        text={t("passkey.remove.text")}
        verb={t("do.delete")}
        onConfirm={remove}
      />
    </Section>
  );
}

function Add() {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const add = useMutation({
    mutationFn: async () => {
      const { ticket, options } = await ok(api.POST("/api/v1/passkey/begin"));
      const credential = await makePasskey(options);
      return ok(api.POST("/api/v1/passkey/finish", { body: { ticket, credential, name: name.trim() || undefined } }));
    },
    onSuccess: () => {
      setName("");
      toast(t("passkey.done"));
      return client.invalidateQueries(passkeysQuery);
    },
  });
  if (!passkeysWork()) return <p className="text-ink-2">{t("passkey.cannot")}</p>;
  return (
    <form
      className="flex max-w-md flex-col items-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Field label={t("set.name")} optional hint={t("passkey.name.hint")} className="w-full">
        <TextInput maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      {add.error && !wasCanceled(add.error) && (
        <ErrorText error={isThereAlready(add.error) ? t("passkey.already") : add.error} />
      )}
      <Button type="submit" icon={KeyRound} busy={add.isPending}>
        {t("passkey.add")}
      </Button>
    </form>
  );
}
