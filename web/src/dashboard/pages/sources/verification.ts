// The settings of providers as a form has them: each is one text or one tick, and becomes a value of JSON. Pure.
import type { Key } from "@/lib/i18n";

type Kind = "text" | "number" | "list" | "flag" | "json";

/** Every setting that a provider reads, and what one types for it. */
export const settings = {
  toleranceSeconds: { kind: "number", label: "src.set.tolerance", hint: "src.set.tolerance.hint" },
  verifyToken: { kind: "text", label: "src.set.verifyToken", hint: "src.set.verifyToken.hint" },
  header: { kind: "text", label: "src.set.header", hint: "src.set.header.hint" },
  username: { kind: "text", label: "src.set.username", hint: "src.set.username.hint" },
  accountKey: { kind: "text", label: "src.set.accountKey", hint: "src.set.accountKey.hint" },
  webhookId: { kind: "text", label: "src.set.webhookId", hint: "src.set.webhookId.hint" },
  audience: { kind: "text", label: "src.set.audience", hint: "src.set.audience.hint" },
  algorithms: { kind: "list", label: "src.set.algorithms", hint: "src.set.algorithms.hint" },
  topics: { kind: "list", label: "src.set.topics", hint: "src.set.topics.hint" },
  origins: { kind: "list", label: "src.set.origins", hint: "src.set.origins.hint" },
  rate: { kind: "number", label: "src.set.rate", hint: "src.set.rate.hint" },
  confirm: { kind: "flag", label: "src.set.confirm", hint: "src.set.confirm.hint" },
  legacySha1: { kind: "flag", label: "src.set.legacySha1", hint: "src.set.legacySha1.hint" },
  generic: { kind: "json", label: "src.set.generic", hint: "src.set.generic.hint" },
} as const satisfies Record<string, { kind: Kind; label: Key; hint: Key }>;

export type Setting = keyof typeof settings;

export const isSetting = (name: string): name is Setting => name in settings;

/** How the scheme of generic-hmac is described, to start from. */
const genericExample = { hash: "sha256", encoding: "hex", signatureHeader: "X-Signature" };

/** The texts of a form for what is set. */
export function typed(names: readonly string[], values: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names.filter(isSetting)) {
    const value = values[name];
    const { kind } = settings[name];
    if (kind === "json") found[name] = JSON.stringify(value ?? genericExample, null, 2);
    else if (kind === "list") found[name] = Array.isArray(value) ? value.join(", ") : "";
    else found[name] = value === undefined || value === null || value === false ? "" : String(value);
  }
  return found;
}

/** The other way: what was left empty is left out. Null where the JSON of a setting cannot be read. */
export function verificationOf(
  names: readonly string[],
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> | null {
  const found: Record<string, unknown> = {};
  for (const name of names.filter(isSetting)) {
    const text = (texts[name] ?? "").trim();
    if (text === "") continue;
    switch (settings[name].kind) {
      case "number":
        found[name] = Number(text);
        break;
      case "flag":
        found[name] = true;
        break;
      case "list":
        found[name] = text
          .split(/[,\n]/)
          .map((one) => one.trim())
          .filter(Boolean);
        break;
      case "json":
        try {
          found[name] = JSON.parse(text);
        } catch {
          return null;
        }
        break;
      default:
        found[name] = text;
    }
  }
  return found;
}
