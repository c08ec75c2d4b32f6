import type { Tree } from "./json";
import { isContainer, rowOf } from "./tree";

/** What a key does in the tree: go to a node, or fold and unfold the one that one is at. */
export type Step = { node: number; toggle?: undefined } | { toggle: true };

const page = 15;

/** The step of a key from the active node, as trees in WAI-ARIA take keys; undefined when the key means nothing. */
export function stepIn(
  tree: Tree,
  rows: Int32Array,
  folded: Uint8Array,
  active: number,
  key: string,
): Step | undefined {
  const row = rowOf(rows, active);
  const to = (wanted: number): Step => ({ node: rows[Math.max(0, Math.min(rows.length - 1, wanted))]! });
  const filled = isContainer(tree, active) && tree.sizes[active]! > 0;
  switch (key) {
    case "ArrowDown":
      return to(row + 1);
    case "ArrowUp":
      return to(row - 1);
    case "PageDown":
      return to(row + page);
    case "PageUp":
      return to(row - page);
    case "Home":
      return to(0);
    case "End":
      return to(rows.length - 1);
    case "ArrowRight":
      if (!filled) return to(row);
      return folded[active] ? { toggle: true } : to(row + 1);
    case "ArrowLeft":
      if (filled && !folded[active]) return { toggle: true };
      return { node: Math.max(0, tree.parents[active]!) };
    case "Enter":
    case " ":
      return filled ? { toggle: true } : to(row);
    default:
      return undefined;
  }
}
