/** One row of a hex view. */
export interface HexRow {
  offset: string;
  hex: string[];
  ascii: string;
}

/** Writes the bytes from offset on, so many as a row holds. */
export function hexRow(bytes: Uint8Array, offset: number, width: number): HexRow {
  const part = bytes.subarray(offset, offset + width);
  const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, "0"));
  const ascii = Array.from(part, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
  return { offset: offset.toString(16).padStart(8, "0"), hex, ascii };
}
