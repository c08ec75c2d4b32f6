// What changed between two JSON documents, place by place. The order of keys does not count, numbers are compared as
// the texts they are, strings by what they mean; elements of arrays are aligned by equality before they are compared.

import { align } from "./difflines";
import type { Tree } from "./json";
import { isContainer, keyOf, type Segment, sourceOf, textOf } from "./tree";

export interface JSONChange {
  kind: "added" | "removed" | "changed";
  path: Segment[];
  /** JSON text on each side, as received. */
  left?: string;
  right?: string;
}

/** Changes in the order of the left document, each added place after the kept ones of its parent. */
export function diffJSON(left: Tree, right: Tree): JSONChange[] {
  const out: JSONChange[] = [];
  const prints = new Prints();
  const [a, b] = [prints.of(left), prints.of(right)];
  const todo: { l: number; r: number; path: Segment[] }[] = [{ l: 0, r: 0, path: [] }];
  const change = (kind: JSONChange["kind"], path: Segment[], l: number, r: number) =>
    out.push({
      kind,
      path,
      left: l < 0 ? undefined : sourceOf(left, l),
      right: r < 0 ? undefined : sourceOf(right, r),
    });
  for (let pair = todo.pop(); pair; pair = todo.pop()) {
    const { l, r, path } = pair;
    if (l < 0) change("added", path, l, r);
    else if (r < 0) change("removed", path, l, r);
    else if (a[l] === b[r]) continue;
    else if (left.kinds[l] !== right.kinds[r] || !isContainer(left, l)) change("changed", path, l, r);
    else {
      const inner = left.kinds[l] === 0 ? members(left, l, right, r) : elements(left, l, right, r, a, b);
      for (let i = inner.length - 1; i >= 0; i--) {
        const child = inner[i]!;
        todo.push({ l: child.l, r: child.r, path: [...path, child.step] });
      }
    }
  }
  return out;
}

interface Child {
  l: number;
  r: number;
  step: Segment;
}

function childrenOf(tree: Tree, node: number): number[] {
  const children: number[] = [];
  for (let i = node + 1; i < tree.next[node]!; i = tree.next[i]!) children.push(i);
  return children;
}

/** Members of two objects by key; the n-th of a repeated key meets the n-th. */
function members(left: Tree, l: number, right: Tree, r: number): Child[] {
  const waiting = new Map<string, number[]>();
  for (const child of childrenOf(right, r)) {
    const key = keyOf(right, child)!;
    const list = waiting.get(key);
    if (list) list.push(child);
    else waiting.set(key, [child]);
  }
  const out = childrenOf(left, l).map((child): Child => {
    const step = keyOf(left, child)!;
    return { l: child, r: waiting.get(step)?.shift() ?? -1, step };
  });
  for (const [step, rest] of waiting) for (const child of rest) out.push({ l: -1, r: child, step });
  return out;
}

/** Elements of two arrays: equal ones meet, of those between them the first meets the first. */
function elements(left: Tree, l: number, right: Tree, r: number, a: Int32Array, b: Int32Array): Child[] {
  const ls = childrenOf(left, l);
  const rs = childrenOf(right, r);
  const partner = align(
    Int32Array.from(ls, (node) => a[node]!),
    Int32Array.from(rs, (node) => b[node]!),
  );
  const kept = new Uint8Array(rs.length);
  for (const k of partner) if (k >= 0) kept[k] = 1;
  const out: Child[] = [];
  let [i, k] = [0, 0];
  while (i < ls.length || k < rs.length) {
    const met = i < ls.length ? partner[i]! : -1;
    if (met === k) {
      i++;
      k++;
      continue;
    }
    const leftFree = i < ls.length && met < 0;
    const rightFree = k < rs.length && !kept[k];
    out.push({ l: leftFree ? ls[i]! : -1, r: rightFree ? rs[k]! : -1, step: leftFree ? i : k });
    if (leftFree) i++;
    if (rightFree) k++;
  }
  return out;
}

/** Numbers values so that equal ones have equal numbers. Exact: a value's number stands for all that it is made of. */
class Prints {
  private readonly known = new Map<string, number>();

  of(tree: Tree): Int32Array {
    const prints = new Int32Array(tree.count);
    // Children come after their parent, so that going backwards each child is numbered first.
    for (let node = tree.count - 1; node >= 0; node--) prints[node] = this.number(this.describe(tree, node, prints));
    return prints;
  }

  private describe(tree: Tree, node: number, prints: Int32Array): string {
    if (!isContainer(tree, node)) return tree.kinds[node] === 2 ? `"${textOf(tree, node)}` : sourceOf(tree, node);
    const children = childrenOf(tree, node);
    if (tree.kinds[node] === 1) return `[${children.map((child) => prints[child]).join()}`;
    const entries = children.map((child) => `${this.number(`"${keyOf(tree, child)}`)}:${prints[child]}`);
    return `{${sorted(entries, children.length).join()}`;
  }

  private number(text: string): number {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    this.known.set(text, this.known.size);
    return this.known.size - 1;
  }
}

const sorted = (entries: string[], size: number) => (size < 2 ? entries : entries.sort());
