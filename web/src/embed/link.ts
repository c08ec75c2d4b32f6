/** The frame's address: the link with language and theme. Empty if it is no link. */
export function addressOf(link: string, lang: string | null, theme: string | null): string {
  if (!URL.canParse(link)) return "";
  const url = new URL(link);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "";
  if (lang) url.searchParams.set("lang", lang);
  if (theme) url.searchParams.set("theme", theme);
  return url.href;
}

/** The code of a link; empty if it has none. */
export function codeOf(link: string): string {
  return URL.canParse(link) ? (new URLSearchParams(new URL(link).hash.slice(1)).get("code") ?? "") : "";
}

/** The link in an answer: as text, or the url of a JSON object. */
export function linkIn(answer: string): string {
  const text = answer.trim();
  if (!text.startsWith("{")) return text;
  const { url } = JSON.parse(text) as { url?: unknown };
  return typeof url === "string" ? url : "";
}
