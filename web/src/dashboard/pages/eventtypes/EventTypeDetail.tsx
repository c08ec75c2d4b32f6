import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Pencil, Trash2, X } from "lucide-react";
import { useState } from "react";
import { quote } from "@/dashboard/search/terms";
import { useMay } from "@/dashboard/session";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { EventTypeAbout } from "@/parts/eventtype/EventTypeAbout";
import { type EventType, eventTypeQuery } from "@/parts/eventtype/queries";
import { Button, IconButton } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Link } from "@/ui/Link";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { toast } from "@/ui/Toast";
import { TypedConfirm } from "@/ui/TypedConfirm";
import { EventTypeForm } from "./EventTypeForm";
import { Subscribers } from "./Subscribers";

interface EventTypeDetailProps {
  name: string;
  onClose(): void;
}

/** One event type: what it means, who gets it. */
export function EventTypeDetail({ name, onClose }: EventTypeDetailProps) {
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
        <Loaded type={found.data} onClose={onClose} />
      ) : (
        <Skeleton className="px-1" rows={6} />
      )}
    </div>
  );
}

function Loaded({ type, onClose }: { type: EventType; onClose(): void }) {
  const client = useQueryClient();
  const may = useMay("developer");
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const reason = may ? undefined : t("type.may");
  const params = { path: { name: type.name } };
  const changed = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ["event-types"] }),
      client.invalidateQueries({ queryKey: ["event-type", type.name] }),
    ]);
  const archive = async (archived: boolean) => {
    setBusy(true);
    setError(null);
    try {
      await ok(api.PATCH("/api/v1/event-type/{name}", { params, body: { archived } }));
      toast(t(archived ? "type.archived.done" : "type.back.done"));
      await changed();
    } catch (why) {
      setError(why as ApiError);
    } finally {
      setBusy(false);
    }
  };
  const remove = async () => {
    await ok(api.DELETE("/api/v1/event-type/{name}", { params: { ...params, query: { expunge: true } } }));
    toast(t("type.deleted"));
    onClose();
    await client.invalidateQueries({ queryKey: ["event-types"] });
  };
  return (
    <div className="flex flex-col gap-5 px-4 pb-8">
      <div className="flex flex-wrap gap-2">
        <Button icon={Pencil} reason={reason} onClick={() => setDialog("edit")}>
          {t("do.edit")}
        </Button>
        <Button
          icon={type.archived ? ArchiveRestore : Archive}
          busy={busy}
          reason={reason}
          onClick={() => void archive(!type.archived)}
        >
          {t(type.archived ? "type.unarchive" : "type.archive")}
        </Button>
        <Button look="danger" icon={Trash2} reason={reason} onClick={() => setDialog("delete")}>
          {t("do.delete")}
        </Button>
      </div>
      {error && <ErrorText error={error} />}
      <EventTypeAbout type={type}>
        {type.archived && <p className="text-ink-2">{t("type.archived.text")}</p>}
        {type.featureFlags && (
          <p className="text-ink-2">
            {t("type.flags")}: <span className="data">{type.featureFlags.join(", ")}</span>
          </p>
        )}
        <p>
          <Link to="/messages" search={{ q: `type:${quote(type.name)}` }}>
            {t("type.messages")}
          </Link>
        </p>
      </EventTypeAbout>
      <Subscribers name={type.name} />
      <FromCode call={{ method: "GET", path: `api/v1/event-type/${encodeURIComponent(type.name)}` }} />
      {dialog === "edit" && <EventTypeForm type={type} onClose={() => setDialog(null)} onSaved={() => {}} />}
      <TypedConfirm
        open={dialog === "delete"}
        onClose={() => setDialog(null)}
        name={type.name}
        title={t("type.delete")}
        text={t("type.delete.text")}
        verb={t("do.delete")}
        onConfirm={remove}
      />
    </div>
  );
}
