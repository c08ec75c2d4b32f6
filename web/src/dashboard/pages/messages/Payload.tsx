import type { UseQueryResult } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { t } from "@/lib/i18n";
import { bodyState, type Row } from "@/parts/message/attempts";
import { PayloadViewer } from "@/ui/payload";
import { ErrorState } from "@/ui/States";
import { quote, withTerm } from "./terms";

const route = getRouteApi("/shell/messages");

/** The payload as it is sent. Picking a value searches for others like it. */
export function Payload({ message, body, raw }: { message: Row; body: UseQueryResult<Uint8Array>; raw: boolean }) {
  const navigate = route.useNavigate();
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
            onTab: (tab: string) =>
              tab !== "raw" &&
              tab !== "hex" &&
              void navigate({ search: (old) => ({ ...old, tab: "payload" }), replace: true }),
          }
        : {})}
      onFilter={(place) =>
        void navigate({
          search: (old) => ({ ...old, q: withTerm(old.q ?? "", `body.${place.path}:${quote(place.value)}`) }),
        })
      }
      height="fill"
    />
  );
}
