// Forms and multipart bodies, taken apart as they came.
import { parameter } from "./body";

export interface FormField {
  name: string;
  value: string;
  /** The field as received, where decoding failed. */
  broken?: string;
}

/** Fields of application/x-www-form-urlencoded in received order; names may repeat. */
export function formFields(text: string): FormField[] {
  return text
    .replace(/^\ufeff/, "")
    .split("&")
    .filter((field) => field !== "")
    .map((field) => {
      const cut = field.indexOf("=");
      const [name, value] = cut < 0 ? [field, ""] : [field.slice(0, cut), field.slice(cut + 1)];
      try {
        return { name: decode(name), value: decode(value) };
      } catch {
        return { name, value, broken: field };
      }
    });
}

const decode = (text: string) => decodeURIComponent(text.replaceAll("+", " "));

export interface Part {
  headers: { name: string; value: string }[];
  name?: string;
  filename?: string;
  contentType: string;
  bytes: Uint8Array;
}

/** Parts of a multipart body (RFC 2046), without preamble and epilogue. */
export function multipartParts(body: Uint8Array, contentType: string): Part[] {
  const boundary = parameter(contentType, "boundary");
  if (!boundary) return [];
  const line = new TextEncoder().encode(`--${boundary}`);
  const marks: number[] = [];
  for (let at = find(body, line, 0); at >= 0; at = find(body, line, at + line.length)) {
    if (at === 0 || body[at - 1] === 10) marks.push(at);
  }
  const parts: Part[] = [];
  for (let i = 0; i < marks.length; i++) {
    let start = marks[i]! + line.length;
    if (body[start] === 45 && body[start + 1] === 45) break;
    while (start < body.length && body[start] !== 10) start++;
    let end = marks[i + 1] ?? body.length;
    if (i + 1 < marks.length) {
      end--;
      if (body[end - 1] === 13) end--;
    }
    parts.push(readPart(body.subarray(Math.min(start + 1, end), end)));
  }
  return parts;
}

function readPart(bytes: Uint8Array): Part {
  const crlf = find(bytes, Uint8Array.of(13, 10, 13, 10), 0);
  const lf = find(bytes, Uint8Array.of(10, 10), 0);
  const leading = bytes[0] === 10 ? 1 : bytes[0] === 13 && bytes[1] === 10 ? 2 : 0;
  let [head, body] = [bytes.length, bytes.length];
  if (leading) [head, body] = [0, leading];
  else if (crlf >= 0 && (lf < 0 || crlf < lf)) [head, body] = [crlf, crlf + 4];
  else if (lf >= 0) [head, body] = [lf, lf + 2];
  const headers = new TextDecoder()
    .decode(bytes.subarray(0, head))
    .split(/\r?\n/)
    .filter((text) => text.includes(":"))
    .map((text) => ({
      name: text.slice(0, text.indexOf(":")).trim(),
      value: text.slice(text.indexOf(":") + 1).trim(),
    }));
  const header = (name: string) => headers.find((h) => h.name.toLowerCase() === name)?.value ?? "";
  const disposition = header("content-disposition");
  return {
    headers,
    name: parameter(disposition, "name"),
    filename: parameter(disposition, "filename"),
    contentType: header("content-type"),
    bytes: bytes.subarray(body),
  };
}

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0]!, from); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
