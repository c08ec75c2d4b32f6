// How this reader wants things shown. public/theme.js reads the theme before the first paint.
import { keep, recall } from "./storage";
import { createStore, type Store } from "./store";

function choice<T extends string>(name: string, values: readonly T[], fallback: T): Store<T> {
  const kept = recall(name, fallback);
  const store = createStore<T>(values.includes(kept as T) ? (kept as T) : fallback);
  store.subscribe(() => keep(name, store.get()));
  return store;
}

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** Light, dark, or as the system has it. */
export const theme = choice<Theme>("theme", themes, "system");

/** Rows of 32 px or of 26 px. */
export const density = choice("density", ["normal", "compact"] as const, "normal");

/** Whether times are shown in the reader's zone or in UTC. */
export const clock = choice("clock", ["local", "utc"] as const, "local");

/** Keeps the document's attributes to the choices, and to the system's change of mind. */
export function followPreferences(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const dark = theme.get() === "dark" || (theme.get() === "system" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.documentElement.dataset.density = density.get();
  };
  system.addEventListener("change", apply);
  theme.subscribe(apply);
  density.subscribe(apply);
  apply();
}
