import type { CSSProperties } from "react";
import { grounds, onColour } from "@/lib/contrast";
import { t } from "@/lib/i18n";
import { StatusMark } from "@/ui/Status";
import { accents, type Draft } from "./theme";

const fonts: Record<Draft["font"], string> = {
  inter: "var(--font)",
  system: "system-ui, sans-serif",
  serif: "Georgia, 'Times New Roman', serif",
  mono: "var(--mono)",
};

/** The portal's first page in both schemes, as it will look. A logo is drawn only from a data URL: this page asks nobody else for one. */
export function PortalPreview({ draft }: { draft: Draft }) {
  const both = accents(draft);
  return (
    <div className="flex min-w-0 flex-col gap-4" role="img" aria-label={t("portalset.preview")}>
      {draft.mode !== "dark" && (
        <Side scheme="light" draft={draft} accent={both.light?.colour} logo={draft.logoLight} />
      )}
      {draft.mode !== "light" && (
        <Side scheme="dark" draft={draft} accent={both.dark?.colour} logo={draft.logoDark || draft.logoLight} />
      )}
    </div>
  );
}

interface SideProps {
  scheme: "light" | "dark";
  draft: Draft;
  accent: string | undefined;
  logo: string;
}

function Side({ scheme, draft, accent, logo }: SideProps) {
  const own = accent && { "--accent": accent, "--on-accent": onColour(accent) };
  const style = {
    ...own,
    "--radius": `${Number(draft.radius) || 0}px`,
    fontFamily: fonts[draft.font],
    background: grounds[scheme],
  } as CSSProperties;
  return (
    <div
      data-theme={scheme}
      style={style}
      aria-hidden
      className="overflow-hidden rounded border border-line bg-paper text-ink"
    >
      <div className="flex items-center gap-3 border-line border-b px-4 py-2">
        {logo.startsWith("data:image/") ? (
          <img src={logo} alt="" className="h-6 max-w-32 object-contain" />
        ) : (
          logo && <span className="size-6 rounded bg-sunken" />
        )}
        <span className="truncate font-semibold text-base">
          {draft.texts.title || draft.name || t("portalset.sample")}
        </span>
      </div>
      {draft.texts.welcome && <p className="px-4 pt-3 text-ink-2">{draft.texts.welcome}</p>}
      <div className="flex items-center justify-between gap-3 px-4 pt-3">
        <span className="font-semibold text-lg">{t("nav.endpoints")}</span>
        <span className="rounded bg-accent px-3 py-1.5 font-medium text-on-accent">{t("ep.new")}</span>
      </div>
      <div className="m-4 flex items-center gap-3 rounded border border-line bg-surface px-3 py-2">
        <span className="min-w-0 flex-1 truncate">https://example.com/webhooks</span>
        <StatusMark status="active" />
      </div>
      {draft.texts.support && <p className="border-line border-t px-4 py-2 text-ink-2">{draft.texts.support}</p>}
    </div>
  );
}
