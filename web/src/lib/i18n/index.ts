// Texts in the reader's language. English is part of the program; other languages are loaded when asked for.
import { recall } from "../storage";
import { createStore } from "../store";
import { en } from "./en";
import { fill, type Message, type Params } from "./message";

export type Key = keyof typeof en;

/** A catalogue in another language: the compiler misses each key that it misses. */
export type Catalogue = Record<Key, Message>;

const loaders: Record<string, () => Promise<Catalogue>> = {
  de: () => import("./de").then((module) => module.de),
};

/** Languages there are, by their own names. */
export const languages = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof languages;

const current = createStore<{ language: Language; catalogue: Catalogue }>({ language: "en", catalogue: en });

/** Changes with the language; the root draws everything anew by it. */
export const languageStore = current;

/** The language in use, a BCP 47 tag. */
export const language = (): Language => current.get().language;

/** Switches to a language, or to English when there is none of that name. Regions are left out: de-AT is de. */
export async function setLanguage(wanted: string): Promise<void> {
  const name = wanted.toLowerCase().split("-")[0] ?? "en";
  const load = loaders[name];
  current.set(load ? { language: name as Language, catalogue: await load() } : { language: "en", catalogue: en });
  document.documentElement.lang = language();
}

/** What the reader chose here before, or the first language of the browser. */
export const preferredLanguage = (): string => recall("language", navigator.language);

/** The text of the key, filled in. */
export function t<K extends Key>(
  key: K,
  ...params: Record<never, never> extends Params<(typeof en)[K]> ? [] : [Params<(typeof en)[K]>]
): string {
  const { catalogue, language } = current.get();
  return fill(catalogue[key], (params[0] ?? {}) as Record<string, string | number>, language);
}
