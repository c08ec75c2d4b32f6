import { useQuery } from "@tanstack/react-query";
import { t } from "@/lib/i18n";
import { Deliveries } from "@/parts/message/Deliveries";
import { messageQuery } from "@/parts/message/queries";
import { Link } from "@/ui/Link";
import { ErrorState, Skeleton } from "@/ui/States";
import { sourceQuery } from "../sources/queries";
import type { Request } from "./queries";

/** Where it went: the message that it became, each endpoint of the source, and the routes to applications. */
export function Routing({ request }: { request: Request }) {
  const message = useQuery({ ...messageQuery(request.messageId ?? ""), enabled: request.messageId !== null });
  const source = useQuery(sourceQuery(request.sourceId));
  if (request.messageId === null)
    return <p className="p-4 text-base text-ink-2">{t(`req.nowhere.${nowhere(request)}`)}</p>;
  if (message.error) return <ErrorState error={message.error} retry={() => void message.refetch()} />;
  if (!message.data) return <Skeleton rows={4} />;
  const routes = source.data?.routes ?? [];
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-3 px-3 py-2 text-ink-2">
        <span>{t(request.state === "accepted" ? "req.became" : "req.first")}</span>
        <Link to="/messages" search={{ open: message.data.id }} className="data">
          {message.data.id}
        </Link>
      </p>
      <Deliveries message={message.data} />
      {routes.length > 0 && (
        <section className="px-3 py-3">
          <h3 className="mb-1 font-medium">{t("src.routes")}</h3>
          <ul className="flex flex-col gap-1">
            {routes.map((one) => (
              <li key={one.app} className="flex flex-wrap items-center gap-3">
                <Link to="/messages" search={{ q: `app:${one.app}` }} className="data">
                  {one.app}
                </Link>
                <span className="text-ink-3">{one.only?.length ? one.only.join(", ") : t("src.routes.all")}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

const nowhere = ({ state }: Request) => (state === "handshake" ? "handshake" : "refused");
