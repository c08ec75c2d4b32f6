// The customer's look, laid over the tokens. The server checked the contrast when it was saved.
import type { Schema } from "@/lib/api";
import { setLanguage } from "@/lib/i18n";
import { theme as choice } from "@/lib/preferences";

type Config = Schema<"PortalConfigOut">;

/** What the page around asks for, read before the router changes the address. */
const asked = new URLSearchParams(location.search);

const fonts: Record<Config["theme"]["font"], string> = {
  inter: "",
  system: "system-ui, sans-serif",
  serif: "Georgia, 'Times New Roman', serif",
  mono: "var(--mono)",
};

/** Applies colours, corners, letters, scheme and language, and keeps the colours to the scheme. */
export async function applyTheme(config: Config): Promise<void> {
  const mode = asked.get("theme") ?? config.theme.mode;
  if (mode === "light" || mode === "dark") choice.set(mode);
  const root = document.documentElement;
  const colours = () => {
    const own = root.dataset.theme === "dark" ? config.dark : config.light;
    set("--accent", own?.accent);
    set("--on-accent", own?.onAccent);
    set("--focus", own?.accent);
  };
  new MutationObserver(colours).observe(root, { attributeFilter: ["data-theme"] });
  colours();
  set("--radius", `${config.theme.radius}px`);
  set("--font", fonts[config.theme.font]);
  const language = asked.get("lang") ?? config.theme.language;
  if (language) await setLanguage(language);
}

function set(name: string, value: string | undefined): void {
  if (value) document.documentElement.style.setProperty(name, value);
  else document.documentElement.style.removeProperty(name);
}
