import type { ReactNode } from "react";
import type { Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Link } from "@/ui/Link";
import { Section } from "@/ui/Page";
import { Mark, type Status } from "@/ui/Status";
import { Time } from "@/ui/Time";

type Item = Schema<"Attention">;

const marks: Record<Item["severity"], Status> = { error: "failed", warning: "retrying", info: "held" };

/** What needs somebody, the most severe first, each with the way to where it is mended. */
export function Attention({ items }: { items: readonly Item[] }) {
  return (
    <Section title={t("overview.attention")}>
      {items.length === 0 ? (
        <p className="flex items-center gap-2 text-ink-2">
          <Mark status="delivered" /> {t("overview.attention.none")}
        </p>
      ) : (
        <ul className="divide-y divide-line overflow-hidden rounded border border-line bg-surface">
          {items.map((item) => (
            <li
              key={`${item.kind} ${item.endpointId ?? item.sourceId ?? ""}`}
              className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2"
            >
              <Mark status={marks[item.severity]} />
              <span className="sr-only">{t(`overview.severity.${item.severity}`)}</span>
              <span className="min-w-0 flex-1 basis-60">{item.text}</span>
              {item.since && <Time at={item.since} className="text-ink-3" />}
              {wayTo(item)}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function wayTo(item: Item): ReactNode {
  if (item.endpointId !== null)
    return (
      <Link to="/endpoints/$endpoint" params={{ endpoint: item.endpointId }} search={{}}>
        {t("overview.to.endpoint")}
      </Link>
    );
  if (item.sourceId !== null)
    return (
      <Link to="/requests" search={{ q: `source:${item.sourceId} state:refused` }}>
        {t("overview.to.requests")}
      </Link>
    );
  return <Link to="/system">{t("overview.to.system")}</Link>;
}
