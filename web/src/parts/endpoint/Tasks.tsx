import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { ErrorState, ErrorText } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { endpointKey, type Task, tasksQuery } from "./queries";
import { progressOf } from "./recover";

interface TasksProps {
  appId: string;
  endpointId: string;
  reason?: string;
}

/** What was recovered and replayed at an endpoint, and how it goes on. It is kept by the server, so a reload loses nothing. */
export function Tasks({ appId, endpointId, reason }: TasksProps) {
  const query = useQuery(tasksQuery(appId, endpointId));
  if (query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const tasks = query.data?.data ?? [];
  if (tasks.length === 0) return null;
  return (
    <section className="flex flex-col gap-1">
      <h3 className="font-medium text-ink-2">{t("ep.tasks")}</h3>
      <ul className="border-line border-t">
        {tasks.map((task) => (
          <Row key={task.id} appId={appId} endpointId={endpointId} task={task} reason={reason} />
        ))}
      </ul>
    </section>
  );
}

function Row({ appId, endpointId, task, reason }: TasksProps & { task: Task }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const { sent, total, rate, canceled, since, until } = progressOf(task);
  const running = task.status === "running";
  const cancel = () => {
    setBusy(true);
    setError(null);
    const params = { path: { app: appId, ep: endpointId, task: task.id } };
    ok(api.POST("/api/v1/app/{app}/endpoint/{ep}/task/{task}/cancel", { params }))
      .then(
        () => client.invalidateQueries({ queryKey: endpointKey(endpointId) }),
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const name = t(task.task === "endpoint.replay" ? "ep.recover.missing" : "ep.recover.failed");
  return (
    <li className="flex flex-col gap-1 border-line border-b py-2">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <StatusMark status={canceled ? "canceled" : task.status} />
        <span className="font-medium">{name}</span>
        <span className="text-ink-2">
          {since && <Time at={since} as="exact" />} – {until && <Time at={until} as="exact" />}
        </span>
        <span className="flex-1" />
        <span className="data">
          {total === undefined
            ? t("ep.task.sent", { n: sent })
            : t("ep.task.of", { sent: number(sent), total: number(total) })}
          {rate !== undefined && <span className="ml-2 text-ink-3">{t("ep.task.rate", { rate })}</span>}
        </span>
        {running ? (
          <Button busy={busy} reason={reason} onClick={cancel} className="h-7">
            {t("ep.task.cancel")}
          </Button>
        ) : (
          <Time at={task.updatedAt} className="text-ink-3" />
        )}
      </div>
      {running && (
        <div
          role="progressbar"
          aria-label={name}
          aria-valuemin={0}
          aria-valuemax={total}
          aria-valuenow={total === undefined ? undefined : sent}
          className="h-1.5 overflow-hidden rounded-full bg-sunken"
        >
          <div
            className="h-full rounded-full bg-retrying-fill"
            style={{ width: `${total ? Math.min(100, (sent / total) * 100) : 100}%` }}
          />
        </div>
      )}
      {error && <ErrorText error={error} />}
    </li>
  );
}
