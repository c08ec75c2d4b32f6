// Characters that cannot be seen, or that change how others are seen, by name: in Raw nothing may hide.
const named: Record<number, string> = {
  0: "NUL",
  1: "SOH",
  2: "STX",
  3: "ETX",
  4: "EOT",
  5: "ENQ",
  6: "ACK",
  7: "BEL",
  8: "BS",
  11: "VT",
  12: "FF",
  14: "SO",
  15: "SI",
  16: "DLE",
  17: "DC1",
  18: "DC2",
  19: "DC3",
  20: "DC4",
  21: "NAK",
  22: "SYN",
  23: "ETB",
  24: "CAN",
  25: "EM",
  26: "SUB",
  27: "ESC",
  28: "FS",
  29: "GS",
  30: "RS",
  31: "US",
  127: "DEL",
  133: "NEL",
  160: "NBSP",
  173: "SHY",
  1564: "ALM",
  8203: "ZWSP",
  8204: "ZWNJ",
  8205: "ZWJ",
  8206: "LRM",
  8207: "RLM",
  8232: "LS",
  8233: "PS",
  8234: "LRE",
  8235: "RLE",
  8236: "PDF",
  8237: "LRO",
  8238: "RLO",
  8288: "WJ",
  8294: "LRI",
  8295: "RLI",
  8296: "FSI",
  8297: "PDI",
  65279: "BOM",
  65533: "?",
};

const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3164\ufeff\ufff9-\ufffd]|[\u{e0000}-\u{e0fff}]/gu;

export type Piece = { text: string; mark?: undefined } | { mark: string; code: string; text?: undefined };

/** Parts of a line: plain text, and marks for what would not show. A tab is the mark "→". */
export function pieces(line: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const hit of line.matchAll(hidden)) {
    if (hit.index > at) out.push({ text: line.slice(at, hit.index) });
    out.push(markOf(hit[0].codePointAt(0)!));
    at = hit.index + hit[0].length;
  }
  if (at < line.length) out.push({ text: line.slice(at) });
  return out;
}

function markOf(code: number): Piece {
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return { mark: code === 9 ? "→" : code === 10 ? "LF" : code === 13 ? "CR" : (named[code] ?? hex), code: hex };
}
