// Reads JSON without losing anything: numbers stay the text they are, keys keep their order and may repeat, and a
// fault has a place. The document becomes a few flat arrays in reading order, so that a worker can hand over 10 MB of
// it without copying and a view can walk it without recursion.

/** Kinds of values, as numbers in Tree.kinds. */
export const kinds = ["object", "array", "string", "number", "boolean", "null"] as const;
export type Kind = (typeof kinds)[number];
const [object, array, string, number, boolean, nothing] = [0, 1, 2, 3, 4, 5];

/** A document. Node 0 is the whole; node i's children follow it, and its subtree ends before next[i]. */
export interface Tree {
  text: string;
  count: number;
  kinds: Uint8Array;
  /** 1: the value, 2: the key has escapes. */
  escapes: Uint8Array;
  /** Where the value begins and ends in text. */
  starts: Int32Array;
  ends: Int32Array;
  /** Where the key with its quotes begins and ends; -1 without one. */
  keyStarts: Int32Array;
  keyEnds: Int32Array;
  /** -1 for the whole. */
  parents: Int32Array;
  /** Position among the children of the parent. */
  ordinals: Int32Array;
  /** Number of children. */
  sizes: Int32Array;
  next: Int32Array;
  depths: Int32Array;
}

export type FaultCode =
  | "empty"
  | "end"
  | "value"
  | "key"
  | "colon"
  | "comma"
  | "trailingComma"
  | "number"
  | "escape"
  | "control"
  | "string"
  | "after";

/** Why a text is no JSON, and where. Line and column count from 1. */
export interface Fault {
  code: FaultCode;
  at: number;
  line: number;
  column: number;
  /** The character there, "" at the end. */
  found: string;
}

export type Parsed = { tree: Tree; fault?: undefined } | { tree?: undefined; fault: Fault };

/** Reads a whole document. A byte order mark before it is stepped over. */
export function parseJSON(text: string): Parsed {
  const reader = new Reader(text);
  try {
    return { tree: reader.document() };
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    return { fault: faultAt(text, stop.code, stop.at) };
  }
}

class Stop {
  constructor(
    readonly code: FaultCode,
    readonly at: number,
  ) {}
}

function faultAt(text: string, code: FaultCode, at: number): Fault {
  let line = 1;
  let start = 0;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) {
    line++;
    start = i + 1;
  }
  const found = at < text.length ? String.fromCodePoint(text.codePointAt(at)!) : "";
  return { code, at, line, column: at - start + 1, found };
}

const isDigit = (c: number) => c >= 48 && c <= 57;
const isHex = (c: number) => isDigit(c) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);

class Reader {
  private at = 0;
  private readonly nodes: Nodes;

  constructor(private readonly text: string) {
    this.nodes = new Nodes(Math.min(text.length >> 3, 1 << 20) + 16);
  }

  document(): Tree {
    const { text, nodes } = this;
    if (text.charCodeAt(0) === 0xfeff) this.at = 1;
    this.blanks();
    if (this.at >= text.length) throw new Stop("empty", this.at);
    let open = this.value(-1, -1, -1, 0);
    while (open >= 0) open = this.step(open);
    this.blanks();
    if (this.at < text.length) throw new Stop("after", this.at);
    return nodes.tree(text);
  }

  /** Reads the next child of an open container, or its end. Gives the container that is open then. */
  private step(open: number): number {
    const { text, nodes } = this;
    const isObject = nodes.kinds[open] === object;
    const close = isObject ? 125 : 93;
    this.blanks();
    const filled = nodes.sizes[open]! > 0;
    let c = text.charCodeAt(this.at);
    if (c === close) {
      this.at++;
      nodes.ends[open] = this.at;
      nodes.next[open] = nodes.count;
      return nodes.parents[open]!;
    }
    if (filled) {
      if (c !== 44) throw new Stop(this.at < text.length ? "comma" : "end", this.at);
      const comma = this.at++;
      this.blanks();
      c = text.charCodeAt(this.at);
      if (c === close) throw new Stop("trailingComma", comma);
    }
    let keyStart = -1;
    let keyEnd = -1;
    let escapes = 0;
    if (isObject) {
      if (c !== 34) throw new Stop(this.at < text.length ? "key" : "end", this.at);
      keyStart = this.at;
      escapes = this.string() ? 2 : 0;
      keyEnd = this.at;
      this.blanks();
      if (text.charCodeAt(this.at) !== 58) throw new Stop(this.at < text.length ? "colon" : "end", this.at);
      this.at++;
      this.blanks();
    }
    const inner = this.value(open, keyStart, keyEnd, escapes);
    return inner >= 0 ? inner : open;
  }

  /** Reads a scalar or the opening of a container; gives the node when it is open, else -1. */
  private value(parent: number, keyStart: number, keyEnd: number, escapes: number): number {
    const { text, nodes } = this;
    const c = text.charCodeAt(this.at);
    const start = this.at;
    const kind = kindBy(c);
    if (kind < 0) throw new Stop(this.at < text.length ? "value" : "end", this.at);
    const node = nodes.add(parent, kind, start, keyStart, keyEnd);
    let escaped = escapes;
    if (kind === object || kind === array) {
      this.at++;
      nodes.escapes[node] = escaped;
      return node;
    }
    if (kind === string) escaped |= this.string() ? 1 : 0;
    else if (kind === number) this.number();
    else this.word(c === 116 ? "true" : c === 102 ? "false" : "null");
    nodes.escapes[node] = escaped;
    nodes.ends[node] = this.at;
    nodes.next[node] = node + 1;
    return -1;
  }

  private blanks(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      this.at++;
    }
  }

  private word(word: string): void {
    if (!this.text.startsWith(word, this.at)) throw new Stop("value", this.at);
    this.at += word.length;
  }

  /** Steps over a string and tells whether it has escapes. */
  private string(): boolean {
    const { text } = this;
    const start = this.at;
    let escaped = false;
    for (let i = this.at + 1; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 34) {
        this.at = i + 1;
        return escaped;
      }
      if (c < 32) throw new Stop("control", i);
      if (c === 92) {
        escaped = true;
        i = this.escape(i);
      }
    }
    throw new Stop("string", start);
  }

  /** Steps over the escape at i; gives its last character. */
  private escape(i: number): number {
    const { text } = this;
    const c = text[i + 1] ?? "";
    if (c === "u") {
      for (let k = i + 2; k < i + 6; k++) if (!isHex(text.charCodeAt(k))) throw new Stop("escape", i);
      return i + 5;
    }
    if (c === "" || !'"\\/bfnrt'.includes(c)) throw new Stop("escape", i);
    return i + 1;
  }

  private number(): void {
    const { text } = this;
    const start = this.at;
    let i = start;
    const digits = () => {
      const from = i;
      while (isDigit(text.charCodeAt(i))) i++;
      if (i === from) throw new Stop("number", Math.min(i, text.length));
    };
    if (text[i] === "-") i++;
    if (text[i] === "0") {
      i++;
      if (isDigit(text.charCodeAt(i))) throw new Stop("number", i);
    } else digits();
    if (text[i] === ".") {
      i++;
      digits();
    }
    if (text[i] === "e" || text[i] === "E") {
      i++;
      if (text[i] === "+" || text[i] === "-") i++;
      digits();
    }
    this.at = i;
  }
}

function kindBy(c: number): number {
  if (c === 123) return object!;
  if (c === 91) return array!;
  if (c === 34) return string!;
  if (c === 45 || isDigit(c)) return number!;
  if (c === 116 || c === 102) return boolean!;
  return c === 110 ? nothing! : -1;
}

/** The arrays of a tree while it grows. */
class Nodes {
  count = 0;
  kinds: Uint8Array;
  escapes: Uint8Array;
  starts: Int32Array;
  ends: Int32Array;
  keyStarts: Int32Array;
  keyEnds: Int32Array;
  parents: Int32Array;
  ordinals: Int32Array;
  sizes: Int32Array;
  next: Int32Array;
  depths: Int32Array;

  constructor(room: number) {
    this.kinds = new Uint8Array(room);
    this.escapes = new Uint8Array(room);
    this.starts = new Int32Array(room);
    this.ends = new Int32Array(room);
    this.keyStarts = new Int32Array(room);
    this.keyEnds = new Int32Array(room);
    this.parents = new Int32Array(room);
    this.ordinals = new Int32Array(room);
    this.sizes = new Int32Array(room);
    this.next = new Int32Array(room);
    this.depths = new Int32Array(room);
  }

  add(parent: number, kind: number, start: number, keyStart: number, keyEnd: number): number {
    const node = this.count++;
    if (node === this.kinds.length) this.resize(node * 2);
    this.kinds[node] = kind;
    this.starts[node] = start;
    this.keyStarts[node] = keyStart;
    this.keyEnds[node] = keyEnd;
    this.parents[node] = parent;
    if (parent >= 0) {
      this.ordinals[node] = this.sizes[parent]!;
      this.sizes[parent] = this.sizes[parent]! + 1;
      this.depths[node] = this.depths[parent]! + 1;
    }
    return node;
  }

  private resize(room: number): void {
    const ints = (old: Int32Array) => {
      const wider = new Int32Array(room);
      wider.set(old.length > room ? old.subarray(0, room) : old);
      return wider;
    };
    const small = (old: Uint8Array) => {
      const wider = new Uint8Array(room);
      wider.set(old.length > room ? old.subarray(0, room) : old);
      return wider;
    };
    this.kinds = small(this.kinds);
    this.escapes = small(this.escapes);
    this.starts = ints(this.starts);
    this.ends = ints(this.ends);
    this.keyStarts = ints(this.keyStarts);
    this.keyEnds = ints(this.keyEnds);
    this.parents = ints(this.parents);
    this.ordinals = ints(this.ordinals);
    this.sizes = ints(this.sizes);
    this.next = ints(this.next);
    this.depths = ints(this.depths);
  }

  tree(text: string): Tree {
    this.resize(this.count);
    const { count, kinds, escapes, starts, ends, keyStarts, keyEnds, parents, ordinals, sizes, next, depths } = this;
    return { text, count, kinds, escapes, starts, ends, keyStarts, keyEnds, parents, ordinals, sizes, next, depths };
  }
}
