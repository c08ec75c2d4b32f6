import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMay } from "@/dashboard/session";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { PlainLink } from "@/ui/Link";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { groupsOf } from "./gallery";
import { type SourceType, sourceTypesQuery } from "./queries";
import { SourceForm } from "./SourceForm";

const route = getRouteApi("/shell/sources/new");

/** Who is to send: the gallery, and then the form of the one that was chosen. */
export function NewSource() {
  const { type: name } = route.useSearch();
  const types = useQuery(sourceTypesQuery);
  if (types.error)
    return (
      <Page title={t("src.new")}>
        <ErrorState error={types.error} retry={() => void types.refetch()} />
      </Page>
    );
  if (!types.data)
    return (
      <Page title={t("src.new")}>
        <Skeleton rows={10} />
      </Page>
    );
  const type = types.data.find((one) => one.name === name);
  return type ? <Form type={type} /> : <Gallery types={types.data} />;
}

function Gallery({ types }: { types: readonly SourceType[] }) {
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const groups = groupsOf(types, q);
  const find = (next: string) => void navigate({ search: { q: next || undefined }, replace: true });
  return (
    <Page title={t("src.new")} text={t("src.gallery.text")}>
      <Field label={t("src.gallery.find")} labelHidden className="max-w-md pb-4">
        <TextInput
          type="search"
          autoFocus
          placeholder={t("src.gallery.find")}
          value={q}
          onChange={(event) => find(event.target.value)}
        />
      </Field>
      {groups.length === 0 && (
        <EmptyState
          title={t("src.gallery.none", { q })}
          text={t("src.gallery.none.text")}
          action={<Button onClick={() => find("")}>{t("src.gallery.all")}</Button>}
        />
      )}
      {groups.map((group) => (
        <section key={group.title} className="pb-6">
          <h2 className="mb-2 font-semibold text-base">{t(group.title)}</h2>
          <ul className="grid grid-cols-[repeat(auto-fill,minmax(15rem,1fr))] gap-2">
            {group.types.map((type) => (
              <li key={type.name}>
                <PlainLink
                  to="/sources/new"
                  search={{ type: type.name }}
                  className="flex h-full flex-col rounded border border-line bg-surface px-3 py-2 hover:border-edge hover:bg-sunken"
                >
                  <span className="font-medium">{type.title}</span>
                  <span className="line-clamp-2 text-ink-3 text-xs">{type.scheme}</span>
                </PlainLink>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Page>
  );
}

function Form({ type }: { type: SourceType }) {
  const navigate = route.useNavigate();
  const may = useMay("developer");
  return (
    <Page title={t("src.new.of", { type: type.title })} text={type.scheme}>
      <SourceForm
        type={type}
        reason={may ? undefined : t("src.may")}
        onSaved={(source) => void navigate({ to: "/sources/$source", params: { source: source.id }, search: {} })}
        onCancel={() => void navigate({ to: "/sources/new", search: {} })}
      />
    </Page>
  );
}
