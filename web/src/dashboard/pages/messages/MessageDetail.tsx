import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useEffect } from "react";
import { quote, withTerm } from "@/dashboard/search/terms";
import { useMay } from "@/dashboard/session";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { ownerOf, type Row } from "@/parts/message/attempts";
import { Deliveries } from "@/parts/message/Deliveries";
import { Payload } from "@/parts/message/Payload";
import { bodyQuery, messageQuery, messagesQuery } from "@/parts/message/queries";
import { ResendMenu } from "@/parts/message/ResendMenu";
import { IconButton } from "@/ui/Button";
import { CopyId, copyText } from "@/ui/Copy";
import { FromCode } from "@/ui/code";
import { Link } from "@/ui/Link";
import { ErrorState, Skeleton } from "@/ui/States";
import { Badge } from "@/ui/Status";
import { Tabs } from "@/ui/Tabs";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { MessageTimeline } from "./Timeline";

const route = getRouteApi("/shell/messages");
const tabs = ["deliveries", "payload", "timeline", "raw", "code"] as const;
type Tab = (typeof tabs)[number];

interface MessageDetailProps {
  /** Id of the message, or of one of its attempts. */
  id: string;
  onClose(): void;
}

/** Everything about one message, beside the list. */
export function MessageDetail({ id, onClose }: MessageDetailProps) {
  const attempt = id.startsWith("atmpt_");
  const navigate = route.useNavigate();
  const found = useQuery({ ...messageQuery(id), enabled: !attempt });
  // An attempt's id leads to its page, by way of the message that it belongs to.
  const byAttempt = useQuery({
    queryKey: ["message-of", id],
    queryFn: async ({ client }) => (await client.fetchInfiniteQuery(messagesQuery(id))).pages[0]?.data[0] ?? null,
    enabled: attempt,
  });
  const owner = byAttempt.data?.id;
  useEffect(() => {
    if (owner)
      void navigate({
        to: "/messages/$message/attempt/$attempt",
        params: { message: owner, attempt: id },
        search: {},
        replace: true,
      });
  }, [owner, id, navigate]);
  const error = found.error ?? byAttempt.error;
  if (error) return <ErrorState error={error} retry={() => void found.refetch()} />;
  if (attempt && byAttempt.data === null) return <p className="p-6 text-base">{t("palette.unknown", { id })}</p>;
  return found.data ? <Loaded message={found.data} onClose={onClose} /> : <Skeleton className="p-3" />;
}

function Loaded({ message, onClose }: { message: Row; onClose(): void }) {
  const { tab } = route.useSearch();
  const may = useMay("developer");
  const navigate = route.useNavigate();
  const app = ownerOf(message);
  const open = tabs.find((one) => one === tab) ?? "deliveries";
  const readable = !message.payloadExpired && !message.payloadHidden;
  const body = useQuery(
    bodyQuery(app, message.id, readable && (open === "payload" || open === "raw" || open === "code")),
  );
  const text = body.data && new TextDecoder().decode(body.data);
  const show = (next: Tab) =>
    void navigate({ search: (old) => ({ ...old, tab: next === "deliveries" ? undefined : next }), replace: true });
  useShortcuts(
    [
      {
        keys: "y",
        label: t("msg.copyBody"),
        run: () => {
          if (text === undefined) show("payload");
          else void copyText(text).then(() => toast(t("do.copied")));
        },
      },
      { keys: "c", label: t("msg.tab.code"), run: () => show("code") },
    ],
    readable,
  );
  return (
    <>
      <header className="flex shrink-0 flex-col gap-1 px-3 py-2">
        <div className="flex items-center gap-2">
          <h2 className="min-w-0 truncate font-semibold text-lg">{message.eventType}</h2>
          <span className="flex-1" />
          <ResendMenu message={message} reason={may ? undefined : t("msg.resend.may")} />
          <IconButton icon={X} label={t("pane.close")} onClick={onClose} />
        </div>
        <Facts message={message} />
      </header>
      <Tabs
        label={t("msg.parts")}
        value={open}
        onChange={show}
        tabs={tabs.map((value) => ({ value, label: t(`msg.tab.${value}`) }))}
        className="flex-1"
      >
        {open === "deliveries" && <Deliveries message={message} />}
        {(open === "payload" || open === "raw") && (
          <Payload
            message={message}
            body={body}
            raw={open === "raw"}
            onPretty={() => show("payload")}
            onFilter={(place) =>
              void navigate({
                search: (old) => ({ ...old, q: withTerm(old.q ?? "", `body.${place.path}:${quote(place.value)}`) }),
              })
            }
          />
        )}
        {open === "timeline" && <MessageTimeline message={message} />}
        {open === "code" && <Code message={message} text={text} />}
      </Tabs>
    </>
  );
}

function Facts({ message }: { message: Row }) {
  const owner = message.appName || message.appId;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-0.5 text-ink-2">
      <CopyId id={message.id} />
      <span>
        {t("msg.accepted")} <Time at={message.timestamp} as="exact" />
      </span>
      <span className="data">{bytes(message.size)}</span>
      {message.sourceId ? (
        <Link to="/sources" search={{ open: message.sourceId }}>
          {owner}
        </Link>
      ) : (
        <Link to="/applications/$app" params={{ app: message.appId }}>
          {owner}
        </Link>
      )}
      {message.eventId && (
        <span>
          {t("msg.eventId")} <span className="data">{message.eventId}</span>
        </span>
      )}
      {message.deliverAt && (
        <span>
          {t("msg.deliverAt")} <Time at={message.deliverAt} as="exact" />
        </span>
      )}
      {message.channels?.map((name) => (
        <Badge key={`c ${name}`}>{`${t("msg.channels")}: ${name}`}</Badge>
      ))}
      {message.tags?.map((name) => (
        <Badge key={`t ${name}`}>{`#${name}`}</Badge>
      ))}
    </p>
  );
}

function Code({ message, text }: { message: Row; text: string | undefined }) {
  const app = encodeURIComponent(ownerOf(message));
  const again =
    text === undefined || message.sourceId
      ? undefined
      : `{"eventType":${JSON.stringify(message.eventType)},"payload":${text}}`;
  return (
    <div className="flex flex-col gap-6 p-3">
      <FromCode title={t("msg.code.get")} call={{ method: "GET", path: `api/v1/app/${app}/msg/${message.id}` }} />
      {again && message.contentType.includes("json") && (
        <FromCode
          title={t("msg.code.again")}
          call={{
            method: "POST",
            path: `api/v1/app/${app}/msg`,
            body: again,
            cli: ["send", message.eventType, "--app", message.appId, "-d", text ?? ""],
          }}
        />
      )}
    </div>
  );
}
