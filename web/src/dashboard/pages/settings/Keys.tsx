import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useEnvironment } from "@/dashboard/session";
import { api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Section } from "@/ui/Page";
import { ErrorState, Skeleton } from "@/ui/States";
import { Badge } from "@/ui/Status";
import { Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { NewKey } from "./NewKey";

type Key = Schema<"APITokenCensoredOut">;

const keysQuery = (env: string) =>
  queryOptions({
    queryKey: ["api-keys", env],
    queryFn: async ({ signal }) => {
      const all: Key[] = [];
      let iterator: string | undefined;
      for (;;) {
        const page = await ok(
          api.GET("/api/v1/management/authentication/{env}/api-token", {
            params: { path: { env }, query: { limit: 250, iterator, order: "descending" } },
            signal,
          }),
        );
        all.push(...page.data);
        iterator = page.iterator ?? undefined;
        if (page.done || iterator === undefined) return all;
      }
    },
    enabled: env !== "",
  });

/** Keys by which programs call the API of this environment. */
export function Keys() {
  const client = useQueryClient();
  const env = useEnvironment();
  const query = keysQuery(env?.id ?? "");
  const found = useQuery(query);
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Key | null>(null);
  const end = async () => {
    if (!ending || !env) return;
    await ok(
      api.POST("/api/v1/management/authentication/{env}/api-token/{key}/expire", {
        params: { path: { env: env.id, key: ending.id } },
        body: { expiry: 0 },
      }),
    );
    toast(t("key.ended"));
    await client.invalidateQueries({ queryKey: query.queryKey });
  };
  if (!env) return null;
  return (
    <Section
      title={t("key.title", { environment: env.name })}
      text={t("key.text")}
      actions={
        <Button look="primary" icon={Plus} onClick={() => setMaking(true)}>
          {t("key.new")}
        </Button>
      }
    >
      {found.error ? (
        <ErrorState error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Skeleton rows={3} />
      ) : (
        <Table
          label={t("set.tab.keys")}
          empty={t("key.none")}
          head={[
            t("set.name"),
            t("key.key"),
            t("key.scopes"),
            t("key.made"),
            t("set.lastUsed"),
            t("key.until"),
            <span key="do" className="sr-only">
              {t("key.end")}
            </span>,
          ]}
          rows={found.data.map((key) => ({
            key: key.id,
            cells: [
              <span key="name" className="whitespace-nowrap font-medium">
                {key.name}
              </span>,
              <span key="key" className="data whitespace-nowrap text-ink-2">
                {key.censoredToken}
              </span>,
              <span key="scopes" className="flex flex-wrap gap-1">
                {key.scopes?.map((scope) => <Badge key={scope}>{t(`key.scope.${scope}` as "key.scope.read")}</Badge>) ??
                  t("key.all")}
              </span>,
              <Time key="made" at={key.createdAt} />,
              key.lastUsedAt ? <Time key="used" at={key.lastUsedAt} /> : t("set.never"),
              key.expiresAt ? <Time key="until" at={key.expiresAt} /> : "–",
              <span key="do" className="flex justify-end">
                {!ended(key) && (
                  <Button
                    className="h-7"
                    aria-label={`${t("key.end")}: ${key.name ?? key.id}`}
                    onClick={() => setEnding(key)}
                  >
                    {t("key.end")}
                  </Button>
                )}
              </span>,
            ],
          }))}
        />
      )}
      {making && <NewKey env={env.id} onClose={() => setMaking(false)} />}
      <ConfirmDialog
        open={ending !== null}
        onClose={() => setEnding(null)}
        title={t("key.end.title", { name: ending?.name ?? "" })}
        text={t("key.end.text")}
        verb={t("key.end")}
        onConfirm={end}
      />
    </Section>
  );
}

const ended = (key: Key): boolean => key.expiresAt !== null && new Date(key.expiresAt) <= new Date();
