// All keys of the program in one place, so that the sheet under "?" cannot lie and none fires while somebody types.
import { useEffect, useRef } from "react";
import { createStore } from "./store";

export interface Shortcut {
  /** One key ("j", "?", "Escape"), two after each other ("g m"), or with the command key ("mod+k"). */
  keys: string;
  /** What it does, for the sheet. */
  label: string;
  run(event: KeyboardEvent): void;
}

/** What is bound at the moment, later ones first: a page's keys win over the shell's. */
export const shortcuts = createStore<readonly Shortcut[]>([]);

const mac = /mac|iphone|ipad/i.test(navigator.platform);

/** The keys as they are printed on this keyboard. */
export function keyLabels(keys: string): string[] {
  const names: Record<string, string> = { mod: mac ? "⌘" : "Ctrl", Escape: "Esc", Enter: "↵" };
  return keys
    .split(/[ +]/)
    .map((key) => names[key] ?? (key.length === 1 && keys.startsWith("mod") ? key.toUpperCase() : key));
}

/** Whether keys belong to what has the focus: fields, and open dialogs, menus and lists. */
function typing(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return (
    target.closest(
      "input, textarea, select, [contenteditable=true], [role=dialog], [role=alertdialog], [role=menu], [role=listbox]",
    ) !== null
  );
}

let pending = "";
let pendingSince = 0;

/** Finds and runs the shortcut of a key press. Exported for tests. */
export function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const command = event.metaKey || event.ctrlKey;
  if (!command && typing(event.target)) return;
  const key = command ? `mod+${event.key.toLowerCase()}` : event.key;
  const chord = pending && event.timeStamp - pendingSince < 1500 ? `${pending} ${key}` : "";
  const bound = shortcuts.get();
  const hit = bound.find((s) => s.keys === chord) ?? bound.find((s) => s.keys === key);
  pending = "";
  if (hit) {
    event.preventDefault();
    hit.run(event);
  } else if (bound.some((s) => s.keys.startsWith(`${key} `))) {
    pending = key;
    pendingSince = event.timeStamp;
  }
}

addEventListener("keydown", press);

/** Binds keys as long as the component is there and on is true. Each must be a button or link as well. */
export function useShortcuts(list: readonly Shortcut[], on = true): void {
  const latest = useRef(list);
  latest.current = list;
  const signature = list.map((s) => `${s.keys}=${s.label}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: bound again when keys or labels change, not at every draw
  useEffect(() => {
    if (!on) return;
    const mine = latest.current.map((s, i) => ({ ...s, run: (event: KeyboardEvent) => latest.current[i]?.run(event) }));
    shortcuts.set([...mine, ...shortcuts.get()]);
    return () => shortcuts.set(shortcuts.get().filter((s) => !mine.includes(s as (typeof mine)[number])));
  }, [signature, on]);
}
