import type { UseQueryResult } from "@tanstack/react-query";
import { t } from "@/lib/i18n";
import { PayloadViewer } from "@/ui/payload";
import { ErrorState } from "@/ui/States";
import { bodyState, type Row } from "./attempts";

interface PayloadProps {
  message: Row;
  body: UseQueryResult<Uint8Array>;
  /** Shows the bytes as they are. */
  raw: boolean;
  /** Leads from them to the payload made readable. */
  onPretty?(): void;
  /** Searches for others with the value that was picked. */
  onFilter?(place: { path: string; value: string }): void;
}

/** The payload as it is sent. */
export function Payload({ message, body, raw, onPretty, onFilter }: PayloadProps) {
  if (body.error) return <ErrorState error={body.error} retry={() => void body.refetch()} />;
  return (
    <PayloadViewer
      key={raw ? "raw" : "pretty"}
      label={t("msg.tab.payload")}
      bytes={body.data ?? null}
      state={bodyState(message, body.data === undefined)}
      contentType={message.contentType}
      {...(raw
        ? {
            tab: "raw" as const,
            onTab: (tab: string) => tab !== "raw" && tab !== "hex" && onPretty?.(),
          }
        : {})}
      onFilter={onFilter}
      height="fill"
    />
  );
}
