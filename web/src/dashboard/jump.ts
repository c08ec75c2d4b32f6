// Where an id leads, by its kind, which every id begins with.
import type { NavItem } from "./nav";

const kinds: Readonly<Record<string, NavItem["to"]>> = {
  msg: "/messages",
  atmpt: "/messages",
  ep: "/endpoints",
  app: "/applications",
  src: "/sources",
  req: "/requests",
  iss: "/issues",
};

/** The page of an id, or undefined for what is no id of ours. */
export function pageOf(text: string): NavItem["to"] | undefined {
  const found = /^([a-z]+)_[0-9A-Za-z]{6,}$/.exec(text.trim());
  return found?.[1] === undefined ? undefined : kinds[found[1]];
}
