import { useQuery } from "@tanstack/react-query";
import { Download, MoreHorizontal, Pencil, RotateCw, Send } from "lucide-react";
import { useState } from "react";
import { t } from "@/lib/i18n";
import { Button, IconButton } from "@/ui/Button";
import { Menu, MenuItem } from "@/ui/Menu";
import { bodyQuery, type Request } from "./queries";
import { ReplayDialog } from "./ReplayDialog";
import { replayable } from "./state";

interface ActionsProps {
  request: Request;
  /** Why this reader may send nothing. */
  reason?: string;
  /** Bodies are kept from this reader. */
  hidden: boolean;
}

/** What can be done with a request. */
export function Actions({ request, reason, hidden }: ActionsProps) {
  const [dialog, setDialog] = useState<"replay" | "edit" | "url" | null>(null);
  const body = useQuery(bodyQuery(request, false));
  const why =
    reason ??
    (request.bodyGone
      ? t("req.replay.gone")
      : replayable(request)
        ? undefined
        : t(request.state === "handshake" ? "req.replay.handshake" : "req.replay.refused"));
  // To a URL anything can be sent that is still there; nothing of it counts as an event.
  const whyURL = reason ?? (request.bodyGone ? t("req.replay.gone") : hidden ? t("req.hidden") : undefined);
  const download = async () => {
    const bytes = body.data ?? (await body.refetch()).data;
    if (!bytes) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes as BlobPart]));
    link.download = `${request.id}${request.contentType.includes("json") ? ".json" : ".bin"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return (
    <>
      <Button icon={RotateCw} reason={why} onClick={() => setDialog("replay")}>
        {t("req.replay")}
      </Button>
      <Menu trigger={<IconButton icon={MoreHorizontal} label={t("req.more")} />}>
        <MenuItem icon={Pencil} disabled={why !== undefined || hidden} onSelect={() => setDialog("edit")}>
          {t("req.replay.edit")}
        </MenuItem>
        <MenuItem icon={Send} disabled={whyURL !== undefined} onSelect={() => setDialog("url")}>
          {t("req.replay.url")}
        </MenuItem>
        <MenuItem icon={Download} disabled={hidden || request.bodyGone} onSelect={() => void download()}>
          {t("req.download")}
        </MenuItem>
      </Menu>
      {dialog && <ReplayDialog request={request} kind={dialog} hidden={hidden} onClose={() => setDialog(null)} />}
    </>
  );
}
