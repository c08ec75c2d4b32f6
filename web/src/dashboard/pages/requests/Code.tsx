import { useQuery } from "@tanstack/react-query";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { CodeBlock, FromCode } from "@/ui/code";
import { sourceQuery } from "../sources/queries";
import { curlOf } from "./curl";
import type { Request } from "./queries";

/** How it comes to the reader's own machine, and how programs read it. */
export function Code({ request, body }: { request: Request; body: Uint8Array | undefined }) {
  const source = useQuery(sourceQuery(request.sourceId));
  const name = source.data?.uid ?? request.sourceId;
  return (
    <div className="flex flex-col gap-6 p-3">
      <section className="flex flex-col gap-1">
        <h3 className="font-medium text-ink-2">{t("req.code.listen")}</h3>
        <CodeBlock
          label={t("req.code.listen")}
          text={`grapnel listen 3000/webhooks --source ${name} --server ${serverURL}`}
        />
        <p className="text-ink-3 text-xs">{t("req.code.listen.text")}</p>
      </section>
      <section className="flex flex-col gap-1">
        <h3 className="font-medium text-ink-2">{t("req.code.local")}</h3>
        <CodeBlock label={t("req.code.local")} text={curlOf(request, body, "http://127.0.0.1:3000/webhooks")} wrap />
      </section>
      <FromCode
        title={t("req.code.get")}
        call={{
          method: "GET",
          path: `ingest/api/v1/source/${request.sourceId}/request/${request.id}`,
          cli: ["requests", "show", request.id],
        }}
      />
    </div>
  );
}
