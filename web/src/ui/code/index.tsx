import { useState } from "react";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { keep, recall } from "@/lib/storage";
import { CopyButton } from "../Copy";
import { cx } from "../cx";
import type { CodeBlockProps, FromCodeProps, VerifySnippetProps } from "./props";
import { snippets } from "./snippets";
import { verifySnippets } from "./verify";

/** Code to copy: one text, or one in several languages. */
export function CodeBlock({ label, text = "", tabs, remember, height = "max-h-96", wrap }: CodeBlockProps) {
  const [chosen, setChosen] = useState(() => (remember ? recall(`code.${remember}`, "") : ""));
  const open = tabs?.find((tab) => tab.id === chosen) ?? tabs?.[0];
  const shown = open?.text ?? text;
  const choose = (id: string) => {
    setChosen(id);
    if (remember) keep(`code.${remember}`, id);
  };
  return (
    <div
      role="group"
      aria-label={label}
      className="relative flex min-w-0 flex-col rounded border border-line bg-sunken"
    >
      <div className={tabs ? "flex items-center gap-1 px-2 pt-1" : "absolute top-1 right-2"}>
        {tabs?.map((tab) => (
          <button
            key={tab.id}
            type="button"
            aria-pressed={tab === open}
            onClick={() => choose(tab.id)}
            className={cx(
              "h-6 rounded-sm px-2 text-xs",
              tab === open ? "bg-surface font-medium" : "text-ink-2 hover:text-ink",
            )}
          >
            {tab.label}
          </button>
        ))}
        {tabs && <span className="flex-1" />}
        <CopyButton text={shown} />
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
        tabIndex={0}
        className={cx(
          "data overflow-auto px-3",
          tabs ? "pt-1 pb-3" : "py-2 pr-11",
          height,
          wrap ? "whitespace-pre-wrap break-all" : "whitespace-pre",
        )}
      >
        {shown}
      </pre>
    </div>
  );
}

/** How to make this call without the page. */
export function FromCode({ call, title }: FromCodeProps) {
  const block = (
    <>
      <CodeBlock label={t("code.title")} tabs={snippets(call, serverURL)} remember="language" height="max-h-60" />
      {!call.url && call.keyVariable !== null && <p className="text-ink-3 text-xs">{t("code.key")}</p>}
    </>
  );
  if (title === null) return block;
  return (
    <details className="group flex w-full min-w-0 flex-col" open={title !== undefined}>
      <summary className="mb-1 cursor-default rounded-sm font-medium text-ink-2">{title ?? t("code.title")}</summary>
      <div className="flex flex-col gap-1">{block}</div>
    </details>
  );
}

/** What a receiver does with a signature. */
export function VerifySnippet(props: VerifySnippetProps) {
  return <CodeBlock label={t("attempt.verify")} tabs={verifySnippets(props)} remember="language" />;
}

export type * from "./props";
