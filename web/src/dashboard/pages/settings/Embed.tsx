import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { CodeBlock, FromCode } from "@/ui/code";
import { OuterLink } from "@/ui/Link";

/** The two pieces that put the portal into somebody's page: a call on their server, an element in their page. */
export function Embed({ env }: { env: string }) {
  const page = `<script src="${serverURL}/portal/embed.js" async></script>
<grapnel-portal
  src="${serverURL}/portal/e/${env}#code=…"
  refresh="/webhooks/portal-link"
  height="auto"></grapnel-portal>`;
  return (
    <div className="flex max-w-3xl flex-col gap-5">
      <FromCode
        title={t("portalset.embed.server")}
        call={{ method: "POST", path: "api/v1/auth/app-portal-access/APP", body: '{"expiry": 3600}' }}
      />
      <section className="flex flex-col gap-1">
        <h3 className="font-medium text-ink-2">{t("portalset.embed.page")}</h3>
        <CodeBlock label={t("portalset.embed.page")} text={page} />
        <p className="text-ink-3 text-xs">
          {t("portalset.embed.hint")} <OuterLink href={`${serverURL}/api/docs`}>{t("portalset.embed.docs")}</OuterLink>
        </p>
      </section>
    </div>
  );
}
