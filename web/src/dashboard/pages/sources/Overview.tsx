import { useQuery } from "@tanstack/react-query";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyButton, CopyId } from "@/ui/Copy";
import { Facts, Section } from "@/ui/Page";
import { Time } from "@/ui/Time";
import { isCompany } from "./gallery";
import { Latest } from "./Latest";
import { destinationsQuery, type Source, type SourceType } from "./queries";
import { secretMissing } from "./state";

interface OverviewProps {
  source: Source;
  type: SourceType;
  reason?: string;
  /** Opens another part of the page. */
  onShow(tab: "endpoints" | "security"): void;
}

/** The URL, what is missing before it works, and what came. */
export function Overview({ source, type, reason, onShow }: OverviewProps) {
  const destinations = useQuery(destinationsQuery(source.id));
  const nowhere = destinations.data?.data.length === 0 && source.routes.length === 0;
  return (
    <>
      {source.ingestUrl && (
        <Section
          title={t("src.url")}
          text={isCompany(type) ? t("src.url.text", { type: type.title }) : t("src.url.text.any")}
        >
          <div className="flex flex-wrap items-center gap-2">
            <span className="data min-w-0 flex-1 basis-64 break-all rounded border border-line bg-sunken px-2 py-1.5">
              {source.ingestUrl}
            </span>
            <CopyButton text={source.ingestUrl} withLabel />
          </div>
          {secretMissing(source, type) && (
            <div className="mt-3 flex flex-wrap items-center gap-3 rounded border-retrying border-l-2 bg-retrying-soft px-3 py-2">
              <p className="min-w-0 flex-1 basis-64">
                <span className="font-medium">{t("src.noSecret.title")}</span> {t("src.noSecret.text")}
                <span className="mt-1 block text-ink-2">{t("src.noSecret.where", { help: type.secretHelp })}</span>
              </p>
              <Button onClick={() => onShow("security")} reason={reason}>
                {t("src.secret.give")}
              </Button>
            </div>
          )}
          {type.name === "none" || type.name === "generic-webhook" ? (
            <p className="mt-3 text-ink-2">{t("src.unverified")}</p>
          ) : null}
        </Section>
      )}
      <Section title={t("src.latest")}>
        <Latest source={source} type={type} nowhere={nowhere} onDestinations={() => onShow("endpoints")} />
      </Section>
      <Section title={t("src.about")}>
        <Facts
          items={[
            [t("src.col.type"), type.title],
            [t("src.scheme"), type.scheme],
            ["ID", <CopyId key="id" id={source.id} full />],
            [t("src.uid"), source.uid && <CopyId key="uid" id={source.uid} full />],
            [t("src.cron.schedule"), source.cron && <span className="data">{source.cron.schedule}</span>],
            [t("src.cron.zone"), source.cron && (source.cron.timeZone ?? "UTC")],
            [t("src.cron.next"), source.nextFire && <Time key="next" at={source.nextFire} />],
            ...Object.entries(source.metadata).map(
              ([name, value]) =>
                [
                  <span key={name} className="data">
                    {name}
                  </span>,
                  value,
                ] as const,
            ),
            [t("src.col.created"), <Time key="c" at={source.createdAt} as="exact" />],
          ]}
        />
      </Section>
    </>
  );
}
