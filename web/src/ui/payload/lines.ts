// Cuts a text of any size into rows that fit the window, without copying it.

/** Rows of a text: row r shows starts[r] to ends[r]. */
export interface Rows {
  count: number;
  starts: Int32Array;
  ends: Int32Array;
  /** Number of the line that begins with this row, from 1; 0 where a long line goes on. */
  numbers: Int32Array;
  /** How the line ends after this row. */
  breaks: Uint8Array;
}

/** Line ends by their number in Rows.breaks. */
export const lineBreaks = ["", "LF", "CR LF", "CR"] as const;

/** Cuts at line ends, and each line after so many characters. A pair of surrogates stays together. */
export function cutRows(text: string, columns: number): Rows {
  const room = Math.ceil(text.length / columns) + 16;
  let starts = new Int32Array(room);
  let ends = new Int32Array(room);
  let numbers = new Int32Array(room);
  let breaks = new Uint8Array(room);
  let count = 0;
  const add = (start: number, end: number, number: number, ending: number) => {
    if (count === starts.length) {
      starts = grown(starts);
      ends = grown(ends);
      numbers = grown(numbers);
      const wider = new Uint8Array(breaks.length * 2);
      wider.set(breaks);
      breaks = wider;
    }
    starts[count] = start;
    ends[count] = end;
    numbers[count] = number;
    breaks[count++] = ending;
  };
  let number = 1;
  for (let at = 0; at <= text.length; number++) {
    const { end, next, ending } = lineAt(text, at);
    let start = at;
    let first = number;
    while (end - start > columns) {
      let cut = start + columns;
      const c = text.charCodeAt(cut);
      if (c >= 0xdc00 && c <= 0xdfff) cut--;
      add(start, cut, first, 0);
      start = cut;
      first = 0;
    }
    add(start, end, first, ending);
    if (ending === 0) break;
    at = next;
    if (at === text.length) break; // a last line end begins no further line
  }
  return { count, starts, ends, numbers, breaks };
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(old.length * 2);
  wider.set(old);
  return wider;
}

const breakPattern = /\r\n|\n|\r/g;

function lineAt(text: string, at: number): { end: number; next: number; ending: number } {
  breakPattern.lastIndex = at;
  const found = breakPattern.exec(text);
  if (!found) return { end: text.length, next: text.length, ending: 0 };
  const ending = found[0] === "\n" ? 1 : found[0] === "\r\n" ? 2 : 3;
  return { end: found.index, next: found.index + found[0].length, ending };
}

/** The row that shows the place in the text. */
export function rowAt(rows: Rows, at: number): number {
  let low = 0;
  let high = rows.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.starts[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Places of the text wanted, whatever its case. Stops at the limit. */
export function findText(text: string, wanted: string, limit = 10_000): number[] {
  if (wanted === "") return [];
  const pattern = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
  const hits: number[] = [];
  for (let m = pattern.exec(text); m && hits.length < limit; m = pattern.exec(text)) hits.push(m.index);
  return hits;
}
