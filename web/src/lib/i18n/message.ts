// The grammar of our texts: "{name}" is filled in; a text that counts has a form for each plural of its language.

/** A text, or its plural forms chosen by the parameter n. "other" is always there. */
export type Message = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);

/** Names of the parameters in a text. */
type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** What must be given to fill in a message: all names of the English text, and n where it counts. */
export type Params<M> = M extends string
  ? { [Name in Names<M>]: string | number }
  : M extends { other: infer S }
    ? { n: number } & { [Name in Exclude<Names<S>, "n">]: string | number }
    : never;

/** Writes the message out. Numbers are written as the language does. */
export function fill(message: Message, params: Record<string, string | number>, language: string): string {
  const text =
    typeof message === "string"
      ? message
      : (message[new Intl.PluralRules(language).select(Number(params.n))] ?? message.other);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : value;
  });
}
