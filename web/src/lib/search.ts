// The address says everything about a view. Parameters are plain text in it: ?q=status:failed&open=msg_…

/** Reads the part after "?" into flat strings, which each route's validateSearch then narrows. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Writes them back, leaving out what is absent or empty. Colons, commas and slashes stay readable. */
export function stringifySearch(search: Record<string, unknown>): string {
  const parts = Object.entries(search)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(
      ([name, value]) =>
        `${encodeURIComponent(name)}=${encodeURIComponent(String(value)).replace(/%(3A|2C|2F|40)/gi, decodeURIComponent)}`,
    );
  return parts.length ? `?${parts.join("&")}` : "";
}

/** What the address of every list says. */
export interface ListSearch {
  /** The search, in the search language. */
  q?: string;
  /** Id of the row whose detail is open. */
  open?: string;
  /** Tab of the detail. */
  tab?: string;
  /** Time range: hour, day, week, month, or since and until. */
  range?: string;
  since?: string;
  until?: string;
  /** Id of a second row that the open one is compared with. */
  diff?: string;
}

const names = ["q", "open", "tab", "range", "since", "until", "diff"] as const;

/** validateSearch of the lists. */
export function listSearch(search: Record<string, unknown>): ListSearch {
  return texts(search, names);
}

/** Takes the named parameters that are texts, for the validateSearch of other routes. */
export function texts<Name extends string>(
  search: Record<string, unknown>,
  wanted: readonly Name[],
): { [N in Name]?: string } {
  const found: { [N in Name]?: string } = {};
  for (const name of wanted) {
    const value = search[name];
    if (typeof value === "string" && value !== "") found[name] = value;
    else if (typeof value === "number" || typeof value === "boolean") found[name] = String(value);
  }
  return found;
}
