import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Section } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge } from "@/ui/Status";
import { Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { browserOf } from "./browser";

const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/session/list", { signal })),
});

/** Where the reader is signed in. */
export function Sessions() {
  const client = useQueryClient();
  const found = useQuery(sessionsQuery);
  const [error, setError] = useState<ApiError | null>(null);
  const end = (ids: readonly string[]) => {
    setError(null);
    Promise.all(ids.map((session) => ok(api.DELETE("/api/v1/session/{session}", { params: { path: { session } } }))))
      .catch((why: ApiError) => setError(why))
      .finally(() => void client.invalidateQueries(sessionsQuery));
  };
  const others = found.data?.data.filter((one) => !one.current) ?? [];
  return (
    <Section
      title={t("set.tab.sessions")}
      text={t("session.text")}
      actions={
        others.length > 1 && (
          <Button look="danger" icon={LogOut} onClick={() => end(others.map(({ id }) => id))}>
            {t("session.endOthers")}
          </Button>
        )
      }
    >
      {error && <ErrorText error={error} />}
      {found.error ? (
        <ErrorState error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Skeleton rows={2} />
      ) : (
        <Table
          label={t("set.tab.sessions")}
          head={[
            t("session.browser"),
            t("session.method"),
            t("session.address"),
            t("session.began"),
            t("set.lastUsed"),
            <span key="do" className="sr-only">
              {t("session.end")}
            </span>,
          ]}
          rows={found.data.data.map((one) => ({
            key: one.id,
            cells: [
              <span key="agent" title={one.agent} className="whitespace-nowrap">
                {browserOf(one.agent) || t("session.unknown")}
              </span>,
              t(`session.by.${one.method}`),
              <span key="address" className="data">
                {one.address}
              </span>,
              <Time key="began" at={one.createdAt} />,
              <Time key="used" at={one.lastUsedAt} />,
              <span key="do" className="flex justify-end">
                {one.current ? (
                  <Badge tone="good">{t("session.this")}</Badge>
                ) : (
                  <Button
                    className="h-7"
                    aria-label={t("session.endOne", {
                      browser: browserOf(one.agent) || t("session.unknown"),
                      began: exact(new Date(one.createdAt)),
                    })}
                    onClick={() => end([one.id])}
                  >
                    {t("session.end")}
                  </Button>
                )}
              </span>,
            ],
          }))}
        />
      )}
    </Section>
  );
}
