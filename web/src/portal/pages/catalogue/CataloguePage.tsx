import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { t } from "@/lib/i18n";
import { CatalogueList } from "@/parts/eventtype/CatalogueList";
import { EventTypeAbout } from "@/parts/eventtype/EventTypeAbout";
import { catalogueQuery, eventTypeQuery } from "@/parts/eventtype/queries";
import { IconButton } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { SplitPane } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";

const route = getRouteApi("/shell/event-types");

/** What can be sent, with schema and example. */
export function Catalogue() {
  const { q = "", open } = route.useSearch();
  const navigate = route.useNavigate();
  const types = useQuery(catalogueQuery());
  const show = (name: string | undefined) => void navigate({ search: (old) => ({ ...old, open: name }) });
  const list = (
    <div className="flex min-h-0 flex-1 flex-col">
      <Field label={t("type.search")} labelHidden className="px-3 py-2">
        <TextInput
          placeholder={t("type.search")}
          value={q}
          onChange={(event) => {
            const next = event.target.value || undefined;
            void navigate({ search: (old) => ({ ...old, q: next }), replace: true });
          }}
        />
      </Field>
      {types.error && !types.data ? (
        <ErrorState error={types.error} retry={() => void types.refetch()} />
      ) : types.data ? (
        <CatalogueList
          types={types.data}
          find={q}
          open={open}
          onOpen={show}
          empty={<EmptyState title={t(q === "" ? "portal.catalogue.empty" : "type.none")} />}
        />
      ) : (
        <Skeleton rows={6} />
      )}
    </div>
  );
  return (
    <Page fill title={t("nav.eventTypes")}>
      <div className="flex h-[75dvh] min-h-96 flex-col">
        <SplitPane
          name="portal-catalogue"
          list={list}
          detail={open ? <Detail key={open} name={open} onClose={() => show(undefined)} /> : null}
          onClose={() => show(undefined)}
        />
      </div>
    </Page>
  );
}

function Detail({ name, onClose }: { name: string; onClose(): void }) {
  const found = useQuery(eventTypeQuery(name));
  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">
      <header className="flex items-start gap-2 px-4 pt-3 pb-2">
        <h2 className="data min-w-0 flex-1 break-all font-semibold text-lg">{name}</h2>
        <IconButton icon={X} label={t("pane.close")} onClick={onClose} />
      </header>
      {found.error ? (
        <ErrorState error={found.error} retry={() => void found.refetch()} />
      ) : found.data ? (
        <div className="px-4 pb-6">
          <EventTypeAbout type={found.data} />
        </div>
      ) : (
        <Skeleton className="px-1" rows={6} />
      )}
    </div>
  );
}
