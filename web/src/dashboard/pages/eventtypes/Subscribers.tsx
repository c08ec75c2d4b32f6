import { useQuery } from "@tanstack/react-query";
import { quote } from "@/dashboard/search/terms";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Link, PlainLink } from "@/ui/Link";
import { ErrorText, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";

const few = 20;

/** The endpoints that asked for a type by its name. */
export function Subscribers({ name }: { name: string }) {
  const q = `type:${quote(name)}`;
  const query = useQuery({
    queryKey: ["endpoints", "of-type", name],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/endpoint", { params: { query: { q, limit: few } }, signal })),
    placeholderData: undefined,
  });
  const rows = query.data?.data ?? [];
  return (
    <section className="flex flex-col gap-1">
      <h3 className="font-medium text-ink-2">{t("type.subscribers")}</h3>
      {query.error ? (
        <ErrorText error={query.error} />
      ) : !query.data ? (
        <Skeleton rows={2} />
      ) : (
        <>
          <ul className={rows.length > 0 ? "border-line border-t" : undefined}>
            {rows.map((row) => (
              <li key={row.id}>
                <PlainLink
                  to="/endpoints/$endpoint"
                  params={{ endpoint: row.id }}
                  search={{}}
                  className="flex min-h-(--row) items-center gap-3 border-line border-b py-1 hover:bg-sunken"
                >
                  <span className="min-w-0 flex-1 truncate" title={row.url}>
                    {row.url.replace(/^https:\/\//, "")}
                  </span>
                  <span className="truncate text-ink-3">{row.appName}</span>
                  <StatusMark status={row.state} />
                </PlainLink>
              </li>
            ))}
          </ul>
          <p className="text-ink-2">
            {rows.length === 0 && `${t("type.subscribers.none")} `}
            {t("type.subscribers.all")}{" "}
            {!query.data.done && (
              <Link to="/endpoints" search={{ q }}>
                {t("type.subscribers.more")}
              </Link>
            )}
          </p>
        </>
      )}
    </section>
  );
}
