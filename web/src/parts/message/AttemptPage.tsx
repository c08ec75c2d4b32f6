import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, GitCompare } from "lucide-react";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { Button, IconButton } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { PhaseBar } from "@/ui/chart";
import { Kbd } from "@/ui/Kbd";
import { Link } from "@/ui/Link";
import { Menu, MenuItem } from "@/ui/Menu";
import { Facts, Page } from "@/ui/Page";
import { ErrorState, Skeleton } from "@/ui/States";
import { Mark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { AttemptDiff } from "./AttemptDiff";
import { AttemptParts } from "./AttemptParts";
import {
  type Attempt,
  brokenIn,
  byEndpoint,
  ownerOf,
  phasesOf,
  type Row,
  resultOf,
  sentenceOf,
  succeeded,
} from "./attempts";
import { attemptsQuery, messageQuery } from "./queries";

const route = getRouteApi("/shell/messages/$message/attempt/$attempt");

/** One attempt, at an address of its own. */
export function AttemptPage() {
  const { message: id, attempt: wanted } = route.useParams();
  const message = useQuery(messageQuery(id));
  const app = message.data ? ownerOf(message.data) : "";
  const attempts = useQuery(attemptsQuery(app, id));
  const attempt = attempts.data?.find((one) => one.id === wanted);
  const error = message.error ?? attempts.error;
  if (error)
    return <ErrorState error={error} retry={() => void Promise.all([message.refetch(), attempts.refetch()])} />;
  if (attempts.data && !attempt) return <p className="p-6 text-base">{t("palette.unknown", { id: wanted })}</p>;
  if (!message.data || !attempts.data || !attempt) return <Skeleton className="p-4" />;
  return (
    <Loaded message={message.data} attempt={attempt} all={byEndpoint(attempts.data).get(attempt.endpointId) ?? []} />
  );
}

function Loaded({ message, attempt, all }: { message: Row; attempt: Attempt; all: readonly Attempt[] }) {
  const { diff, tab } = route.useSearch();
  const navigate = route.useNavigate();
  const at = all.indexOf(attempt);
  const go = (to: Attempt | undefined) =>
    to && void navigate({ params: { message: message.id, attempt: to.id }, search: (old) => ({ tab: old.tab }) });
  const other = all.find((one) => one.id === diff);
  useShortcuts([
    { keys: "[", label: t("attempt.previous"), run: () => go(all[at - 1]) },
    { keys: "]", label: t("attempt.nextOne"), run: () => go(all[at + 1]) },
    {
      keys: "Escape",
      label: t("keys.back"),
      run: () => void navigate({ to: "/messages", search: { open: message.id } }),
    },
  ]);
  return (
    <Page
      title={t("msg.attemptTo", { n: attempt.attemptNumber, url: attempt.url.replace(/^https?:\/\//, "") })}
      actions={
        <>
          <IconButton
            icon={ChevronLeft}
            label={t("attempt.previous")}
            hint={<Kbd keys="[" />}
            disabled={at <= 0}
            onClick={() => go(all[at - 1])}
          />
          <IconButton
            icon={ChevronRight}
            label={t("attempt.nextOne")}
            hint={<Kbd keys="]" />}
            disabled={at >= all.length - 1}
            onClick={() => go(all[at + 1])}
          />
          {other ? (
            <Button onClick={() => void navigate({ search: (old) => ({ ...old, diff: undefined }) })}>
              {t("attempt.compare.end")}
            </Button>
          ) : all.length < 2 ? (
            <Button icon={GitCompare} reason={t("attempt.compare.only")}>
              {t("attempt.compare")}
            </Button>
          ) : (
            <Menu trigger={<Button icon={GitCompare}>{t("attempt.compare")}</Button>}>
              {all
                .filter((one) => one !== attempt)
                .map((one) => (
                  <MenuItem
                    key={one.id}
                    onSelect={() => void navigate({ search: (old) => ({ ...old, diff: one.id }) })}
                  >
                    {t("msg.attemptN", { n: one.attemptNumber })}: {resultOf(one)}
                  </MenuItem>
                ))}
            </Menu>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p className="flex items-start gap-2 text-lg">
          <Mark status={succeeded(attempt) ? "delivered" : "failed"} className="mt-1.5 size-3.5" />
          <span>{sentenceOf(attempt)}</span>
        </p>
        <PhaseBar phases={phasesOf(attempt)} total={attempt.responseDurationMs} failedIn={brokenIn(attempt)} />
        <Facts
          items={[
            [
              t("attempt.message"),
              <Link key="m" to="/messages" search={{ open: message.id }}>
                {message.eventType} <span className="data">{message.id}</span>
              </Link>,
            ],
            [
              t("attempt.endpoint"),
              <Link key="e" to="/endpoints" search={{ open: attempt.endpointId }} className="break-all">
                {attempt.url}
              </Link>,
            ],
            [t("msg.attempt"), <CopyId key="i" id={attempt.id} full />],
            [t("attempt.at"), <Time key="t" at={attempt.timestamp} as="exact" />],
            [t("attempt.trigger"), t(attempt.triggerType === 1 ? "attempt.trigger.1" : "attempt.trigger.0")],
            [t("attempt.queue"), attempt.timings && duration(attempt.timings.queueMs)],
            [t("attempt.next"), attempt.nextAttempt && <Time key="n" at={attempt.nextAttempt} as="exact" />],
          ]}
        />
        {other ? (
          <AttemptDiff message={message} one={other} two={attempt} />
        ) : (
          <AttemptParts
            app={ownerOf(message)}
            message={message}
            attempt={attempt}
            tab={tab}
            onTab={(next) => void navigate({ search: (old) => ({ ...old, tab: next }), replace: true })}
          />
        )}
      </div>
    </Page>
  );
}
