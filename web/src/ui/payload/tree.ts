// What views ask of a JSON tree.
import { type Kind, kinds, type Tree } from "./json";

export const kindOf = (tree: Tree, node: number): Kind => kinds[tree.kinds[node]!]!;

/** Whether the node can have children. */
export const isContainer = (tree: Tree, node: number): boolean => tree.kinds[node]! < 2;

/** The value as it was received. */
export const sourceOf = (tree: Tree, node: number): string => tree.text.slice(tree.starts[node], tree.ends[node]);

/** The value as people mean it: strings without quotes and escapes, all else as received. */
export function textOf(tree: Tree, node: number): string {
  if (kindOf(tree, node) !== "string") return sourceOf(tree, node);
  return unquote(tree.text, tree.starts[node]!, tree.ends[node]!, (tree.escapes[node]! & 1) > 0);
}

/** The key without quotes and escapes, or null where there is none. */
export function keyOf(tree: Tree, node: number): string | null {
  const start = tree.keyStarts[node]!;
  return start < 0 ? null : unquote(tree.text, start, tree.keyEnds[node]!, (tree.escapes[node]! & 2) > 0);
}

function unquote(text: string, start: number, end: number, escaped: boolean): string {
  return escaped ? (JSON.parse(text.slice(start, end)) as string) : text.slice(start + 1, end - 1);
}

export type Segment = string | number;

/** Keys and positions that lead from the whole to the node. */
export function segmentsOf(tree: Tree, node: number): Segment[] {
  const path: Segment[] = [];
  for (let i = node; tree.parents[i]! >= 0; i = tree.parents[i]!) path.unshift(keyOf(tree, i) ?? tree.ordinals[i]!);
  return path;
}

/** "items.0.amount"; a key with a dot, blank or quote is quoted as JSON. */
export function plainPath(path: readonly Segment[]): string {
  return path
    .map((s) => (typeof s === "string" && !/^[^\s."':()]+$/.test(s) ? JSON.stringify(s) : String(s)))
    .join(".");
}

/** RFC 9535: "$.items[0]['a b']". */
export function jsonPath(path: readonly Segment[]): string {
  const name = (s: string) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(s)
      ? `.${s}`
      : `['${JSON.stringify(s).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}']`;
  return `$${path.map((s) => (typeof s === "number" ? `[${s}]` : name(s))).join("")}`;
}

/** The way jq writes it: ".items[0].\"a b\"". */
export function jqPath(path: readonly Segment[]): string {
  const text = path
    .map((s) =>
      typeof s === "number" ? `[${s}]` : /^[A-Za-z_][A-Za-z0-9_]*$/.test(s) ? `.${s}` : `.${JSON.stringify(s)}`,
    )
    .join("");
  return text.startsWith(".") ? text : `.${text}`;
}

/** Nodes in sight, in reading order: what lies below a folded one is left out. */
export function openRows(tree: Tree, folded: Uint8Array): Int32Array {
  const rows = new Int32Array(tree.count);
  let n = 0;
  for (let i = 0; i < tree.count; i = folded[i] ? tree.next[i]! : i + 1) rows[n++] = i;
  return rows.subarray(0, n);
}

/** Where the node stands among rows, or before what it would stand. */
export function rowOf(rows: Int32Array, node: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! < node) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Folds so deep that about so many rows remain; the first level is always open. */
export function firstFolds(tree: Tree, rows = 400): Uint8Array {
  const perDepth: number[] = [];
  for (let i = 0; i < tree.count; i++) perDepth[tree.depths[i]!] = (perDepth[tree.depths[i]!] ?? 0) + 1;
  let sum = 0;
  let depth = 0;
  while (depth < perDepth.length && sum + perDepth[depth]! <= rows) sum += perDepth[depth++]!;
  return foldFrom(tree, Math.max(1, depth - (depth < perDepth.length ? 1 : 0)));
}

/** Folds each filled container at this depth or deeper. */
export function foldFrom(tree: Tree, depth: number): Uint8Array {
  const folded = new Uint8Array(tree.count);
  for (let i = 0; i < tree.count; i++) if (tree.depths[i]! >= depth && tree.sizes[i]! > 0) folded[i] = 1;
  return folded;
}

/** Opens all that the node lies in. */
export function reveal(tree: Tree, folded: Uint8Array, node: number): void {
  for (let i = tree.parents[node]!; i >= 0; i = tree.parents[i]!) folded[i] = 0;
}

/** Nodes whose key or scalar contains the text, whatever its case. Stops at the limit. */
export function findNodes(tree: Tree, wanted: string, limit = 10_000): number[] {
  if (wanted === "") return [];
  const pattern = new RegExp(escapeRegExp(wanted), "giu");
  const hits = new Set<number>();
  for (let m = pattern.exec(tree.text); m && hits.size < limit; m = pattern.exec(tree.text)) {
    const node = nodeAt(tree, m.index);
    if (node >= 0) hits.add(node);
  }
  for (let i = 0; i < tree.count && hits.size < limit; i++) {
    if (!tree.escapes[i]) continue;
    pattern.lastIndex = 0;
    const own = tree.kinds[i] === 2 ? textOf(tree, i) : "";
    if (`${keyOf(tree, i) ?? ""}\n${own}`.search(pattern) >= 0) hits.add(i);
  }
  return [...hits].sort((a, b) => a - b);
}

/** The node whose key or scalar covers the place in the text, or -1. */
export function nodeAt(tree: Tree, at: number): number {
  let low = 0;
  let high = tree.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const begin = tree.keyStarts[middle]! >= 0 ? tree.keyStarts[middle]! : tree.starts[middle]!;
    if (begin <= at) low = middle + 1;
    else high = middle;
  }
  const node = low - 1;
  if (node < 0) return -1;
  if (at < tree.keyEnds[node]!) return node;
  return !isContainer(tree, node) && at >= tree.starts[node]! && at < tree.ends[node]! ? node : -1;
}

export const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** The document written again with line breaks, every value as received. */
export function format(tree: Tree, indent = "  "): string {
  const out: string[] = [];
  const open: number[] = [];
  const close = (until: number) => {
    while (open.length && tree.next[open.at(-1)!]! <= until) {
      const node = open.pop()!;
      out.push("\n", indent.repeat(open.length), tree.kinds[node] === 0 ? "}" : "]");
    }
  };
  for (let i = 0; i < tree.count; i++) {
    close(i);
    if (tree.ordinals[i]! > 0) out.push(",");
    if (i > 0) out.push("\n", indent.repeat(open.length));
    if (tree.keyStarts[i]! >= 0) out.push(tree.text.slice(tree.keyStarts[i], tree.keyEnds[i]), ": ");
    if (!isContainer(tree, i)) out.push(sourceOf(tree, i));
    else if (tree.sizes[i] === 0) out.push(tree.kinds[i] === 0 ? "{}" : "[]");
    else {
      out.push(tree.kinds[i] === 0 ? "{" : "[");
      open.push(i);
    }
  }
  close(tree.count);
  return out.join("");
}
