// What the reader chose for this browser. Where storage is blocked (a frame of another site), it lasts as long as the page.
const memory = new Map<string, string>();
const prefix = "grapnel.";

/** What was kept under the name, or the fallback. */
export function recall(name: string, fallback: string): string {
  try {
    return localStorage.getItem(prefix + name) ?? memory.get(name) ?? fallback;
  } catch {
    return memory.get(name) ?? fallback;
  }
}

/** Keeps a value under the name. */
export function keep(name: string, value: string): void {
  memory.set(name, value);
  try {
    localStorage.setItem(prefix + name, value);
  } catch {
    // Blocked or full: it is in memory.
  }
}

/** Like recall, for a list of strings. */
export function recallList(name: string): string[] {
  try {
    const list: unknown = JSON.parse(recall(name, "[]"));
    return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
  } catch {
    return [];
  }
}

/** Puts an item at the head of a kept list of at most max different ones. */
export function keepInList(name: string, item: string, max: number): void {
  keep(name, JSON.stringify([item, ...recallList(name).filter((other) => other !== item)].slice(0, max)));
}
