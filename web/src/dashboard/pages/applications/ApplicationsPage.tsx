import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus, Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useMay } from "@/dashboard/session";
import { serverURL } from "@/lib/base";
import { number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { Button } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { Field, TextInput } from "@/ui/Field";
import { type Column, DataList } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { ApplicationForm } from "./ApplicationForm";
import { type Application, applicationsQuery } from "./queries";

const route = getRouteApi("/shell/applications");

const columns = (): readonly Column<Application>[] => [
  {
    id: "name",
    header: t("app.col.name"),
    width: "minmax(8rem, 2fr)",
    cell: (app) => <span className="font-medium">{app.name}</span>,
  },
  {
    id: "uid",
    header: t("app.col.uid"),
    width: "minmax(6rem, 1fr)",
    wide: true,
    cell: (app) => <span className="data text-ink-2">{app.uid}</span>,
  },
  { id: "id", header: "ID", width: "9.5rem", wide: true, cell: (app) => <CopyId id={app.id} /> },
  {
    id: "endpoints",
    header: t("app.col.endpoints"),
    width: "minmax(8rem, 16rem)",
    cell: (app) => <Endpoints app={app} />,
  },
  {
    id: "created",
    header: t("app.col.created"),
    width: "6rem",
    wide: true,
    cell: (app) => <Time at={app.createdAt} />,
  },
];

function Endpoints({ app }: { app: Application }) {
  if (!app.endpoints) return null;
  const { total, failing, disabled } = app.endpoints;
  return (
    <span className="flex items-center gap-3">
      <span className="data w-6 text-end">{number(total)}</span>
      {failing > 0 && <StatusMark status="failing">{t("app.failing", { n: failing })}</StatusMark>}
      {disabled > 0 && <StatusMark status="disabled">{t("app.disabled", { n: disabled })}</StatusMark>}
    </span>
  );
}

/** The customers who receive webhooks. */
export function Applications() {
  const { q = "", open } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("developer");
  const creating = open === "new" && may;
  const [text, setText] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  const query = useInfiniteQuery(applicationsQuery(q));
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const show = (app: string) => void navigate({ to: "/applications/$app", params: { app }, search: {} });
  useShortcuts([{ keys: "/", label: t("keys.search"), run: () => input.current?.focus() }]);
  // Ids from the palette come as "open".
  useEffect(() => {
    if (open && open !== "new")
      void navigate({ to: "/applications/$app", params: { app: open }, search: {}, replace: true });
  }, [open, navigate]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => void navigate({ search: { q: text || undefined }, replace: true }), 250);
    return () => clearTimeout(timer);
  }, [text, q, navigate]);
  const create = (on: boolean) => void navigate({ search: (old) => ({ ...old, open: on ? "new" : undefined }) });
  const button = (
    <Button look="primary" icon={Plus} onClick={() => create(true)} reason={may ? undefined : t("app.may")}>
      {t("app.new")}
    </Button>
  );
  const empty = query.isPending ? (
    <Skeleton rows={8} />
  ) : q === "" ? (
    <EmptyState
      title={t("app.empty.title")}
      text={t("app.empty.text")}
      command={`curl ${serverURL}/api/v1/app -H "Authorization: Bearer $GRAPNEL_API_KEY" --json '{"name":"Acme Ltd","uid":"acme"}'`}
    />
  ) : (
    <EmptyState title={t("app.none")} action={<Button onClick={() => setText("")}>{t("msg.clear")}</Button>} />
  );
  return (
    <Page fill title={t("nav.applications")} actions={button}>
      <div className="flex items-center gap-2 px-4 pb-2">
        <Search aria-hidden size={14} strokeWidth={1.5} className="text-ink-3" />
        <Field label={t("app.search")} labelHidden className="w-full max-w-md">
          <TextInput
            ref={input}
            placeholder={t("app.search")}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
      </div>
      {query.error && rows.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : (
        <DataList
          label={t("nav.applications")}
          rows={rows}
          columns={columns()}
          id={(app) => app.id}
          onOpen={(app) => show(app.id)}
          more={query.hasNextPage}
          loadingMore={query.isFetchingNextPage}
          onMore={() => void query.fetchNextPage()}
          empty={empty}
        />
      )}
      {creating && <ApplicationForm onClose={() => create(false)} onSaved={(app) => show(app.id)} />}
    </Page>
  );
}
