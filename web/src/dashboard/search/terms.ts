// Search texts cut into terms, for chips and completion. The server decides what they mean.

export interface Term {
  text: string;
  /** Where it begins and ends in the whole. */
  from: number;
  to: number;
}

/** The terms of a query. Blanks inside quotes and parentheses separate nothing. */
export function termsOf(query: string): Term[] {
  const terms: Term[] = [];
  let from = -1;
  let quoted = false;
  let depth = 0;
  for (let i = 0; i <= query.length; i++) {
    const c = query[i];
    const ends = c === undefined || (/\s/.test(c) && !quoted && depth === 0);
    if (ends) {
      if (from >= 0) terms.push({ text: query.slice(from, i), from, to: i });
      from = -1;
      continue;
    }
    if (from < 0) from = i;
    if (c === "\\" && quoted) i++;
    else if (c === '"') quoted = !quoted;
    else if (c === "(" && !quoted) depth++;
    else if (c === ")" && !quoted && depth > 0) depth--;
  }
  return terms;
}

/** The query without one term, and without an OR that then joins nothing. */
export function without(query: string, at: number): string {
  const left = termsOf(query)
    .map((term) => term.text)
    .filter((_, i) => i !== at);
  return left.filter((text, i) => text !== "OR" || (i > 0 && i < left.length - 1 && left[i + 1] !== "OR")).join(" ");
}

/** A value as it stands behind a colon. */
export function quote(value: string): string {
  return /^[^\s"():,*~<>]+$/.test(value) && !value.includes("..") && value !== "OR"
    ? value
    : `"${value.replace(/(["\\])/g, "\\$1")}"`;
}

/** The query with one more term, once. */
export function withTerm(query: string, term: string): string {
  const terms = termsOf(query).map((one) => one.text);
  return terms.includes(term) ? query : [...terms, term].join(" ");
}

export interface Offer {
  /** What takes the place of the term that is being typed. */
  insert: string;
  label: string;
  doc?: string;
  /** The value is still to come: no blank behind it. */
  open: boolean;
}

interface Field {
  name: string;
  doc: string;
  values: readonly string[];
}

/** What can stand where the reader types: fields, then their values. */
export function offers(typed: string, fields: readonly Field[]): Offer[] {
  const minus = typed.startsWith("-") ? "-" : "";
  const text = typed.slice(minus.length);
  const colon = text.indexOf(":");
  if (colon < 0) {
    return fields
      .filter((field) => field.name.toLowerCase().startsWith(text.toLowerCase()))
      .map((field) => ({
        insert: minus + field.name + (field.name.endsWith(".") ? "" : ":"),
        label: field.name + (field.name.endsWith(".") ? "…" : ":"),
        doc: field.doc,
        open: true,
      }));
  }
  const field = fields.find((one) => one.name === text.slice(0, colon));
  const list = text.slice(colon + 1);
  const begun = list.slice(list.lastIndexOf(",") + 1).toLowerCase();
  const before = minus + text.slice(0, colon + 1) + list.slice(0, list.lastIndexOf(",") + 1);
  return (field?.values ?? [])
    .filter((value) => value.toLowerCase().includes(begun) && value.toLowerCase() !== begun)
    .map((value) => ({ insert: before + quote(value), label: value, open: false }));
}
