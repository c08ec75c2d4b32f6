import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMay } from "@/dashboard/session";
import { api, ok, type Schema } from "@/lib/api";
import { serverURL } from "@/lib/base";
import { bytes, duration, number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { CodeBlock } from "@/ui/code";
import { OuterLink } from "@/ui/Link";
import { Facts, Page, Section } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge, Mark, type Status, StatusMark } from "@/ui/Status";
import { Table } from "@/ui/Table";
import { Time } from "@/ui/Time";

const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/system", { signal })),
  refetchInterval: 5000,
});

/** How the server itself is, and what it finds wrong with itself. */
export function System() {
  const may = useMay("admin");
  const { data, error, refetch } = useQuery({ ...systemQuery, enabled: may });
  if (!may)
    return (
      <Page title={t("nav.system")}>
        <p className="text-base text-ink-2">{t("system.may")}</p>
      </Page>
    );
  if (!data)
    return (
      <Page title={t("nav.system")}>
        {error ? <ErrorState error={error} retry={() => void refetch()} /> : <Skeleton rows={8} />}
      </Page>
    );
  return (
    <Page title={t("nav.system")}>
      {error && <ErrorText error={error} />}
      <Checks checks={data.checks ?? []} />
      <div className="grid gap-x-8 lg:grid-cols-2">
        <Section title={t("system.queue")}>
          <Facts
            items={[
              [t("system.due"), number(data.queue.due)],
              [t("system.oldest"), data.queue.due === 0 ? "–" : duration(data.queue.oldestDueSeconds * 1000)],
              [t("system.inFlight"), number(data.queue.inFlight)],
            ]}
          />
        </Section>
        <Section title={t("system.server")}>
          <Facts
            items={[
              [
                t("system.version"),
                <span key="version" className="data">
                  {data.version}
                </span>,
              ],
              [t("system.role"), data.role],
              [t("system.started"), <Time key="started" at={data.startedAt} />],
              [
                t("system.licences"),
                <OuterLink key="licences" href={`${serverURL}/third-party.txt`}>
                  third-party.txt
                </OuterLink>,
              ],
            ]}
          />
        </Section>
      </div>
      <Nodes nodes={data.nodes ?? []} />
      <Database store={data.store} />
      <Settings settings={data.settings ?? []} />
      <Section title={t("system.terminal")}>
        <CodeBlock label={t("system.terminal")} text={`grapnel doctor --server ${serverURL}`} />
      </Section>
    </Page>
  );
}

const marks: Record<Schema<"SystemCheck">["state"], Status> = {
  ok: "delivered",
  warn: "retrying",
  fail: "failed",
};

/** What is wrong comes first. */
function Checks({ checks }: { checks: readonly Schema<"SystemCheck">[] }) {
  const rank = { fail: 0, warn: 1, ok: 2 };
  return (
    <Section title={t("system.checks")}>
      <ul className="divide-y divide-line overflow-hidden rounded border border-line bg-surface">
        {[...checks]
          .sort((a, b) => rank[a.state] - rank[b.state])
          .map((check) => (
            <li key={check.name} className="flex items-start gap-3 px-3 py-2">
              <Mark status={marks[check.state]} className="mt-1" />
              <span className="sr-only">{t(`system.check.${check.state}`)}</span>
              <div className="grid min-w-0 flex-1 gap-x-4 sm:grid-cols-[minmax(0,15rem)_minmax(0,1fr)]">
                <span className="font-medium">{check.title}</span>
                <span className="min-w-0 break-words">
                  {check.text}
                  {check.hint && <span className="block text-ink-2">{check.hint}</span>}
                </span>
              </div>
            </li>
          ))}
      </ul>
    </Section>
  );
}

function Nodes({ nodes }: { nodes: readonly Schema<"SystemNode">[] }) {
  return (
    <Section title={t("system.nodes")}>
      <Table
        label={t("system.nodes")}
        head={[t("system.node"), t("system.alive"), t("system.does"), t("system.started"), t("system.seen")]}
        rows={nodes.map((node) => ({
          key: node.name,
          cells: [
            <span key="name" className="data">
              {node.name} {node.self && <Badge>{t("system.self")}</Badge>}
            </span>,
            <StatusMark key="alive" status={node.alive ? "active" : "failing"}>
              {t(node.alive ? "system.yes" : "system.no")}
            </StatusMark>,
            t(node.delivers ? "system.delivers" : "system.answers"),
            <Time key="started" at={node.startedAt} />,
            <Time key="seen" at={node.seenAt} />,
          ],
        }))}
      />
    </Section>
  );
}

function Database({ store }: { store: Schema<"SystemStore"> }) {
  return (
    <Section title={t("system.database")}>
      <Facts
        className="pb-3"
        items={[
          [t("system.kind"), `${store.kind === "sqlite" ? "SQLite" : "PostgreSQL"} ${store.version}`],
          [
            t("system.address"),
            <span key="address" className="data break-all">
              {store.address}
            </span>,
          ],
          [t("system.schema"), number(store.schema)],
          [t("system.size"), bytes(store.bytes)],
          store.logBytes !== null && [t("system.log"), bytes(store.logBytes)],
          store.freeBytes !== null && [t("system.free"), bytes(store.freeBytes)],
        ]}
      />
      <Table
        label={t("system.tables")}
        head={[t("system.table"), t("system.rows"), t("system.size")]}
        rows={(store.tables ?? []).map((table) => ({
          key: table.name,
          cells: [
            <span key="name" className="data">
              {table.name}
            </span>,
            <span key="rows" className="data">
              {table.rows === null ? "–" : `~${number(table.rows)}`}
            </span>,
            <span key="bytes" className="data">
              {table.bytes === null ? "–" : bytes(table.bytes)}
            </span>,
          ],
        }))}
      />
    </Section>
  );
}

function Settings({ settings }: { settings: readonly Schema<"SystemSetting">[] }) {
  if (settings.length === 0) return null;
  return (
    <Section title={t("system.settings")} text={t("system.settings.text")}>
      <Table
        label={t("system.settings")}
        head={[t("system.setting"), t("system.value"), t("system.origin")]}
        rows={settings.map((setting) => ({
          key: setting.name,
          cells: [
            <span key="name" className="data">
              {setting.name}
            </span>,
            <span key="value" className="data break-all">
              {setting.value}
            </span>,
            setting.origin,
          ],
        }))}
      />
    </Section>
  );
}
