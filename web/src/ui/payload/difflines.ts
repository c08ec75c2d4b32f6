// What changed between two texts, by lines. Lines that occur once on each side anchor the comparison (patience); what
// lies between two anchors is compared by Myers' method, within a bound, so that no pair of texts takes for ever.

/** A stretch of rows: equal ones, or left ones taken out and right ones put in. Counts of lines. */
export interface Hunk {
  kind: "equal" | "change";
  left: number;
  leftCount: number;
  right: number;
  rightCount: number;
}

export interface LineDiff {
  left: string[];
  right: string[];
  hunks: Hunk[];
  removed: number;
  added: number;
}

/** Edits that Myers' method tries between two anchors before both sides count as replaced. */
const maxEdits = 800;

/** Compares two texts by lines; line ends count. */
export function diffLines(leftText: string, rightText: string): LineDiff {
  const left = splitLines(leftText);
  const right = splitLines(rightText);
  const ids = new Map<string, number>();
  const number = (line: string) => {
    const known = ids.get(line);
    if (known !== undefined) return known;
    ids.set(line, ids.size);
    return ids.size - 1;
  };
  const a = Int32Array.from(left, number);
  const b = Int32Array.from(right, number);
  const hunks = hunksOf(align(a, b), b.length);
  let removed = 0;
  let added = 0;
  for (const hunk of hunks) {
    if (hunk.kind === "equal") continue;
    removed += hunk.leftCount;
    added += hunk.rightCount;
  }
  return { left, right, hunks, removed, added };
}

function splitLines(text: string): string[] {
  const lines = text.split(/(?<=\n)/);
  return lines.length === 1 && lines[0] === "" ? [] : lines;
}

/** For each element of a the equal one of b that it is, or -1. The partners rise. */
export function align(a: Int32Array, b: Int32Array): Int32Array {
  const partner = new Int32Array(a.length).fill(-1);
  const todo: Range[] = [[0, a.length, 0, b.length]];
  for (let range = todo.pop(); range; range = todo.pop()) {
    let [aFrom, aTo, bFrom, bTo] = range;
    while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) partner[aFrom++] = bFrom++;
    while (aFrom < aTo && bFrom < bTo && a[aTo - 1] === b[bTo - 1]) partner[--aTo] = --bTo;
    if (aFrom === aTo || bFrom === bTo) continue;
    const anchors = anchorsOf(a, b, [aFrom, aTo, bFrom, bTo]);
    if (anchors.length === 0) {
      myers(a, b, [aFrom, aTo, bFrom, bTo], partner);
      continue;
    }
    for (const [aAt, bAt] of anchors) {
      partner[aAt] = bAt;
      todo.push([aFrom, aAt, bFrom, bAt]);
      [aFrom, bFrom] = [aAt + 1, bAt + 1];
    }
    todo.push([aFrom, aTo, bFrom, bTo]);
  }
  return partner;
}

/** Part of a, then part of b. */
type Range = [number, number, number, number];

/** The longest rising run of elements that occur exactly once in both parts. */
function anchorsOf(a: Int32Array, b: Int32Array, [aFrom, aTo, bFrom, bTo]: Range): [number, number][] {
  const seen = new Map<number, { a: number; b: number; times: number }>();
  for (let i = aFrom; i < aTo; i++) {
    const entry = seen.get(a[i]!);
    if (entry) entry.times = 9;
    else seen.set(a[i]!, { a: i, b: -1, times: 0 });
  }
  for (let i = bFrom; i < bTo; i++) {
    const entry = seen.get(b[i]!);
    if (!entry) continue;
    entry.times++;
    entry.b = i;
  }
  const unique = [...seen.values()].filter((entry) => entry.times === 1).sort((x, y) => x.a - y.a);
  const heads: number[] = []; // index of the smallest last element of a run of this length
  const before = new Int32Array(unique.length).fill(-1);
  unique.forEach((entry, i) => {
    let low = 0;
    let high = heads.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (unique[heads[middle]!]!.b < entry.b) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[i] = heads[low - 1]!;
    heads[low] = i;
  });
  const run: [number, number][] = [];
  for (let i = heads.at(-1) ?? -1; i >= 0; i = before[i]!) run.push([unique[i]!.a, unique[i]!.b]);
  return run.reverse();
}

/** Myers' greedy comparison. Past maxEdits the part counts as replaced. */
function myers(a: Int32Array, b: Int32Array, [aFrom, aTo, bFrom, bTo]: Range, partner: Int32Array): void {
  const [n, m] = [aTo - aFrom, bTo - bFrom];
  const bound = Math.min(n + m, maxEdits);
  const reach = new Int32Array(2 * bound + 3);
  const middle = bound + 1;
  const trace: Int32Array[] = [];
  for (let d = 0; d <= bound; d++) {
    trace.push(reach.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[middle + k - 1]! < reach[middle + k + 1]!);
      let x = down ? reach[middle + k + 1]! : reach[middle + k - 1]! + 1;
      while (x < n && x - k < m && a[aFrom + x] === b[bFrom + x - k]) x++;
      reach[middle + k] = x;
      if (x >= n && x - k >= m) {
        walkBack(trace, n, m, (x0, y0) => {
          partner[aFrom + x0] = bFrom + y0;
        });
        return;
      }
    }
  }
}

/** Goes back along what Myers' method reached, telling each equal pair. trace[d] holds the diagonals -d-1 to d+1. */
function walkBack(trace: Int32Array[], n: number, m: number, pair: (x: number, y: number) => void): void {
  let [x, y] = [n, m];
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = (k: number) => trace[d]![k + d + 1]!;
    const k = x - y;
    const down = k === -d || (k !== d && reach(k - 1) < reach(k + 1));
    const fromK = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : reach(fromK);
    const fromY = d === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY && x > 0 && y > 0) pair(--x, --y);
    [x, y] = [fromX, fromY];
  }
}

function hunksOf(partner: Int32Array, rightLength: number): Hunk[] {
  const hunks: Hunk[] = [];
  let left = 0;
  let right = 0;
  while (left < partner.length || right < rightLength) {
    const from = { left, right };
    const equal = left < partner.length && partner[left] === right;
    if (equal) {
      while (left < partner.length && partner[left] === right) {
        left++;
        right++;
      }
    } else {
      while (left < partner.length && partner[left]! < 0) left++;
      right = left < partner.length ? partner[left]! : rightLength;
    }
    hunks.push({
      kind: equal ? "equal" : "change",
      left: from.left,
      leftCount: left - from.left,
      right: from.right,
      rightCount: right - from.right,
    });
  }
  return hunks;
}

/** A row of the comparison as it is drawn. gap: so many equal lines are left out. */
export type LineRow =
  | { kind: "equal" | "removed" | "added"; left: number; right: number; text: string }
  | { kind: "gap"; hunk: number; count: number };

/** Rows with some equal lines around each change; hunks in opened are shown whole. */
export function lineRows(diff: LineDiff, opened: ReadonlySet<number>, around = 3): LineRow[] {
  const rows: LineRow[] = [];
  const equal = (hunk: Hunk, from: number, to: number) => {
    for (let i = from; i < to; i++) {
      rows.push({ kind: "equal", left: hunk.left + i, right: hunk.right + i, text: diff.left[hunk.left + i]! });
    }
  };
  diff.hunks.forEach((hunk, i) => {
    if (hunk.kind === "change") {
      for (let k = hunk.left; k < hunk.left + hunk.leftCount; k++) {
        rows.push({ kind: "removed", left: k, right: -1, text: diff.left[k]! });
      }
      for (let k = hunk.right; k < hunk.right + hunk.rightCount; k++) {
        rows.push({ kind: "added", left: -1, right: k, text: diff.right[k]! });
      }
      return;
    }
    const head = i === 0 ? 0 : around;
    const tail = i === diff.hunks.length - 1 ? 0 : around;
    if (opened.has(i) || hunk.leftCount <= head + tail + 1) {
      equal(hunk, 0, hunk.leftCount);
      return;
    }
    equal(hunk, 0, head);
    rows.push({ kind: "gap", hunk: i, count: hunk.leftCount - head - tail });
    equal(hunk, hunk.leftCount - tail, hunk.leftCount);
  });
  return rows;
}
