// How the gallery is sorted. Pure.
import type { Key } from "@/lib/i18n";
import type { SourceType } from "./queries";

/** Where most people begin, in this order. */
const common = ["stripe", "github", "shopify", "slack", "gitlab", "paypal", "twilio", "svix"];

/** Kinds that are no company: what to take for a sender that is not listed. */
const general = [
  "generic-hmac",
  "standard-webhooks",
  "api-key",
  "basic-auth",
  "cloudevents",
  "websub",
  "generic-webhook",
  "none",
  "cron",
];

/** True for a sender that has a name of its own. */
export const isCompany = (type: SourceType): boolean => !general.includes(type.name);

export interface Group {
  title: Key;
  types: readonly SourceType[];
}

/** The types that a search fits, in groups; empty groups are left out. */
export function groupsOf(types: readonly SourceType[], search: string): readonly Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fit = types.filter((type) => {
    const text = `${type.name} ${type.title}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const named = (names: readonly string[]) => names.flatMap((name) => fit.find((type) => type.name === name) ?? []);
  const others = fit
    .filter(({ name }) => !common.includes(name) && !general.includes(name))
    .sort((a, b) => a.title.localeCompare(b.title));
  const groups: Group[] = [
    { title: "src.group.common", types: named(common) },
    { title: "src.group.general", types: named(general) },
    { title: "src.group.others", types: others },
  ];
  return groups.filter((group) => group.types.length > 0);
}
