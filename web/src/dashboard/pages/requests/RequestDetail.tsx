import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { quote, withTerm } from "@/dashboard/search/terms";
import { useMay, useSession } from "@/dashboard/session";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";
import { IconButton } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { Link } from "@/ui/Link";
import { HeaderTable, PayloadViewer } from "@/ui/payload";
import { ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Tabs } from "@/ui/Tabs";
import { Time } from "@/ui/Time";
import { Actions } from "./Actions";
import { bodyState, headersOf } from "./body";
import { Code } from "./Code";
import { bodyQuery, type Request, requestQuery } from "./queries";
import { Routing } from "./Routing";
import { markOf, stateText } from "./state";
import { Verdict } from "./Verdict";

const route = getRouteApi("/shell/requests");
const tabs = ["verdict", "body", "headers", "routing", "code"] as const;
type Tab = (typeof tabs)[number];

/** Everything about one request, beside the list. */
export function RequestDetail({ id, onClose }: { id: string; onClose(): void }) {
  const found = useQuery(requestQuery(id));
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  return found.data ? <Loaded request={found.data} onClose={onClose} /> : <Skeleton className="p-3" />;
}

function Loaded({ request, onClose }: { request: Request; onClose(): void }) {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("developer");
  const hidden = useSession().data?.member?.mayReadPayloads === false;
  const open: Tab = tabs.find((one) => one === tab) ?? "verdict";
  const body = useQuery(bodyQuery(request, !hidden && !request.bodyGone && (open === "body" || open === "code")));
  const show = (next: Tab) =>
    void navigate({ search: (old) => ({ ...old, tab: next === "verdict" ? undefined : next }), replace: true });
  const reason = may ? undefined : t("req.may");
  return (
    <>
      <header className="flex shrink-0 flex-col gap-1 px-3 py-2">
        <div className="flex items-center gap-2">
          <h2 className="min-w-0 truncate font-semibold text-lg">{request.eventType || stateText(request.state)}</h2>
          <span className="flex-1" />
          <Actions request={request} reason={reason} hidden={hidden} />
          <IconButton icon={X} label={t("pane.close")} onClick={onClose} />
        </div>
        <p className="flex flex-wrap items-center gap-x-3 gap-y-0.5 text-ink-2">
          <StatusMark status={markOf(request.state)}>{stateText(request.state)}</StatusMark>
          <CopyId id={request.id} />
          <Time at={request.receivedAt} as="exact" />
          <span className="data">{bytes(request.bodySize)}</span>
          <Link to="/sources/$source" params={{ source: request.sourceId }} search={{}}>
            {request.sourceName || request.sourceId}
          </Link>
          <span>
            {t("req.answered")} <span className="data">{request.status}</span>
          </span>
        </p>
      </header>
      <Tabs
        label={t("req.parts")}
        value={open}
        onChange={show}
        tabs={tabs.map((value) => ({ value, label: t(`req.tab.${value}`) }))}
        className="flex-1"
      >
        {open === "verdict" && <Verdict request={request} reason={reason} />}
        {open === "body" &&
          (body.error ? (
            <ErrorState error={body.error} retry={() => void body.refetch()} />
          ) : (
            <PayloadViewer
              label={t("req.tab.body")}
              bytes={body.data ?? null}
              state={bodyState(request, hidden, body.data !== undefined)}
              contentType={request.contentType}
              height="fill"
              onFilter={(place) =>
                void navigate({
                  search: (old) => ({ ...old, q: withTerm(old.q ?? "", `body.${place.path}:${quote(place.value)}`) }),
                })
              }
            />
          ))}
        {open === "headers" && <Envelope request={request} />}
        {open === "routing" && <Routing request={request} />}
        {open === "code" && <Code request={request} body={body.data} />}
      </Tabs>
    </>
  );
}

/** What came beside the body. */
function Envelope({ request }: { request: Request }) {
  const line = `${request.method} ${request.path || "/"}${request.query ? `?${request.query}` : ""}`;
  return (
    <div className="flex flex-col gap-3 p-3">
      <p className="data break-all rounded border border-line bg-sunken px-2 py-1.5">{line}</p>
      <HeaderTable label={t("req.tab.headers")} headers={headersOf(request)} />
    </div>
  );
}
