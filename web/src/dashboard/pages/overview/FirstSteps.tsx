import type { ReactNode } from "react";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { CodeBlock } from "@/ui/code";
import { Link } from "@/ui/Link";
import { Mark } from "@/ui/Status";

interface Things {
  application: boolean;
  endpoint: boolean;
  message: boolean;
  delivered: boolean;
  source: boolean;
  request: boolean;
}

/** The way to the first webhook, in both directions. Each step ticks itself off as soon as it is done, here or anywhere. */
export function FirstSteps({ things }: { things: Things }) {
  return (
    <div className="grid gap-4 pb-4 lg:grid-cols-2">
      <Road title={t("first.send")} text={t("first.send.text")}>
        <Step done={things.application}>
          <Link to="/applications" search={{ open: "new" }}>
            {t("first.application")}
          </Link>
          <Why>{t("first.application.why")}</Why>
        </Step>
        <Step done={things.endpoint}>
          <Link to="/endpoints" search={{ open: "new" }}>
            {t("first.endpoint")}
          </Link>
          <Why>{t("first.endpoint.why")}</Why>
        </Step>
        <Step done={things.message}>
          <Link to="/messages" search={{ open: "new" }}>
            {t("first.message")}
          </Link>
          <Why>{t("first.message.why")}</Why>
        </Step>
        <Step done={things.delivered}>
          {t("first.delivered")}
          <Why>{t("first.delivered.why")}</Why>
        </Step>
      </Road>
      <Road title={t("first.receive")} text={t("first.receive.text")}>
        <Step done={things.source}>
          <Link to="/sources" search={{ open: "new" }}>
            {t("first.source")}
          </Link>
          <Why>{t("first.source.why")}</Why>
        </Step>
        <Step done={things.request}>
          {t("first.request")}
          <Why>{t("first.request.why")}</Why>
        </Step>
        <li className="pt-1">
          <CodeBlock label={t("first.command")} text={`grapnel listen 3000 --server ${serverURL}`} wrap />
        </li>
      </Road>
    </div>
  );
}

function Road({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section className="flex min-w-0 flex-col gap-2 rounded border border-line bg-surface p-4">
      <h2 className="font-semibold text-lg">{title}</h2>
      <p className="text-ink-2">{text}</p>
      <ol className="flex flex-col gap-2">{children}</ol>
    </section>
  );
}

function Step({ done, children }: { done: boolean; children: ReactNode }) {
  return (
    <li className="flex items-start gap-2">
      <Mark status={done ? "delivered" : "pending"} className="mt-1" />
      <span className="sr-only">{t(done ? "first.done" : "first.open")}</span>
      <span className="min-w-0">{children}</span>
    </li>
  );
}

function Why({ children }: { children: ReactNode }) {
  return <span className="block text-ink-3 text-xs">{children}</span>;
}
