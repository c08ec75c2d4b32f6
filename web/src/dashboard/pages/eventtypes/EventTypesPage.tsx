import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus, Search } from "lucide-react";
import { useRef, useState } from "react";
import { useMay } from "@/dashboard/session";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { CatalogueList } from "@/parts/eventtype/CatalogueList";
import { catalogueQuery } from "@/parts/eventtype/queries";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Choice";
import { Field, TextInput } from "@/ui/Field";
import { SplitPane } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { EventTypeDetail } from "./EventTypeDetail";
import { EventTypeForm } from "./EventTypeForm";

const route = getRouteApi("/shell/event-types");

/** The catalogue of events. */
export function EventTypes() {
  const { q = "", open, tab } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("developer");
  const [creating, setCreating] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const archived = tab === "archived";
  const types = useQuery({
    ...catalogueQuery(false, archived),
    refetchInterval: ({ state }) => (state.data?.length === 0 ? 3000 : 30_000),
  });
  const show = (name: string | undefined) =>
    void navigate({
      search: (old) => ({ ...old, open: name }),
      replace: open !== undefined && name !== undefined,
    });
  useShortcuts([{ keys: "/", label: t("keys.search"), run: () => input.current?.focus() }]);
  const empty =
    types.data?.length === 0 ? (
      <EmptyState
        title={t("type.empty.title")}
        text={t("type.empty.text")}
        command={`curl ${serverURL}/api/v1/event-type -H "Authorization: Bearer $GRAPNEL_API_KEY" --json '{"name":"invoice.paid","description":"An invoice was paid"}'`}
        listening
      />
    ) : (
      <EmptyState
        title={t("type.none")}
        action={
          <Button onClick={() => void navigate({ search: (old) => ({ ...old, q: undefined }) })}>
            {t("msg.clear")}
          </Button>
        }
      />
    );
  const list = (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-3 py-2">
        <div className="flex min-w-0 flex-1 basis-60 items-center gap-2">
          <Search aria-hidden size={14} strokeWidth={1.5} className="text-ink-3" />
          <Field label={t("type.search")} labelHidden className="min-w-0 flex-1">
            <TextInput
              ref={input}
              placeholder={t("type.search")}
              value={q}
              onChange={(event) => {
                const next = event.target.value || undefined;
                void navigate({ search: (old) => ({ ...old, q: next }), replace: true });
              }}
            />
          </Field>
        </div>
        <Checkbox
          label={t("type.showArchived")}
          checked={archived}
          onChange={(on) =>
            void navigate({ search: (old) => ({ ...old, tab: on ? "archived" : undefined }), replace: true })
          }
        />
      </div>
      {types.error && !types.data ? (
        <ErrorState error={types.error} retry={() => void types.refetch()} />
      ) : types.data ? (
        <CatalogueList types={types.data} find={q} open={open} onOpen={show} empty={empty} />
      ) : (
        <Skeleton rows={8} />
      )}
    </div>
  );
  return (
    <Page
      fill
      title={t("nav.eventTypes")}
      actions={
        <Button look="primary" icon={Plus} onClick={() => setCreating(true)} reason={may ? undefined : t("type.may")}>
          {t("type.new")}
        </Button>
      }
    >
      <SplitPane
        name="event-types"
        list={list}
        detail={open && <EventTypeDetail key={open} name={open} onClose={() => show(undefined)} />}
        onClose={() => show(undefined)}
      />
      {creating && <EventTypeForm onClose={() => setCreating(false)} onSaved={show} />}
    </Page>
  );
}
