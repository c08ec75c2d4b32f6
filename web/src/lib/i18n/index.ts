// Texts in the reader's language. English is part of the program; other languages are loaded when asked for.
import { recall } from "../storage";
import { createStore } from "../store";
import type { en } from "./en";
import { fill, type Message, type Params } from "./message";

export type Key = keyof typeof en;

/** A catalogue in another language: the compiler misses each key that it misses. */
export type Catalogue = Record<Key, Message>;

/** What a program needs of a catalogue: all keys that it uses. */
export type Texts = Partial<Catalogue>;

/** The texts of a program: English at once, other languages when they are asked for. */
export interface Languages {
  en: Texts;
  de(): Promise<Texts>;
}

let mine: Languages = { en: {}, de: async () => ({}) };

/** Languages there are, by their own names. */
export const languages = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof languages;

const current = createStore<{ language: Language; catalogue: Texts }>({ language: "en", catalogue: {} });

/** Changes with the language; the root draws everything anew by it. */
export const languageStore = current;

/** The language in use, a BCP 47 tag. */
export const language = (): Language => current.get().language;

/** Gives the program its texts, before anything is drawn. */
export function speak(languages: Languages): void {
  mine = languages;
  current.set({ language: "en", catalogue: languages.en });
}

/** Switches to a language, or to English when there is none of that name. Regions are left out: de-AT is de. */
export async function setLanguage(wanted: string): Promise<void> {
  const name = wanted.toLowerCase().split("-")[0] ?? "en";
  current.set(name === "de" ? { language: name, catalogue: await mine.de() } : { language: "en", catalogue: mine.en });
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
  return fill(catalogue[key] ?? key, (params[0] ?? {}) as Record<string, string | number>, language);
}
