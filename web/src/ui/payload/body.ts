// From stored bytes to what can be shown, without changing or guessing more than is said.
import type { Bytes, PayloadTab } from "./props";

export interface Body {
  /** As stored. */
  bytes: Uint8Array;
  /** After decoding by Content-Encoding; the same as bytes without one. */
  plain: Uint8Array;
  text: string;
  /** Whether all bytes were text of the charset. */
  exact: boolean;
  /** Charset that text was read with. */
  charset: string;
  /** A byte order mark leads. */
  bom: boolean;
  /** What kept the encoding from being undone. */
  undecoded?: "unknown" | "broken" | "tooBig";
  /** Name of the encoding that was undone. */
  decoded?: string;
}

/** What decoding may grow to, in bytes. */
export const maxDecoded = 32 << 20;

/** Reads the bytes. Never fails: what could not be done is said in the result. */
export async function readBody(input: Bytes, contentType = "", encoding = ""): Promise<Body> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const name = encoding.trim().toLowerCase();
  let plain = bytes;
  let undecoded: Body["undecoded"];
  if (name !== "" && name !== "identity") {
    const result = await inflate(bytes, name);
    if (typeof result === "string") undecoded = result;
    else plain = result;
  }
  const read = readText(plain, contentType);
  return { bytes, plain, ...read, undecoded, decoded: plain === bytes ? undefined : name };
}

async function inflate(bytes: Uint8Array, name: string): Promise<Uint8Array | NonNullable<Body["undecoded"]>> {
  const formats: Record<string, CompressionFormat> = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" };
  const format = formats[name];
  if (!format) return "unknown";
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > maxDecoded) {
        void reader.cancel();
        return "tooBig";
      }
      parts.push(part.value);
    }
  } catch {
    return "broken";
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Reads text by the charset of the content type, UTF-8 without one. */
export function readText(bytes: Uint8Array, contentType = ""): Pick<Body, "text" | "exact" | "charset" | "bom"> {
  const wanted = parameter(contentType, "charset") ?? "utf-8";
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  for (const charset of [wanted, "utf-8"]) {
    try {
      const strict = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
      try {
        return { text: strict.decode(bytes), exact: true, charset: strict.encoding, bom };
      } catch {
        return {
          text: new TextDecoder(charset, { ignoreBOM: true }).decode(bytes),
          exact: false,
          charset: strict.encoding,
          bom,
        };
      }
    } catch {
      // The charset has no name that browsers know.
    }
  }
  return { text: "", exact: false, charset: "utf-8", bom };
}

/** A parameter of a header such as Content-Type, unquoted. */
export function parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, "i").exec(header);
  return found?.[1]?.replace(/\\(.)/g, "$1") ?? found?.[2];
}

export type Shape = "json" | "form" | "multipart" | "text" | "binary";

/** What the body is. The content type decides; without a telling one, the bytes do. */
export function shapeOf(body: Pick<Body, "text" | "exact" | "undecoded">, contentType = ""): Shape {
  const media = contentType.split(";")[0]!.trim().toLowerCase();
  if (body.undecoded) return "binary";
  if (/^(application|text)\/json$|\+json$/.test(media)) return "json";
  if (media === "application/x-www-form-urlencoded") return "form";
  if (media.startsWith("multipart/") && parameter(contentType, "boundary")) return "multipart";
  if (media === "" || media === "text/plain") {
    const first = /^[\s\ufeff]*([{[])/.exec(body.text.slice(0, 4096));
    if (first) return "json";
  }
  if (/^text\/|[/+]xml$|javascript$|yaml$|graphql$/.test(media)) return "text";
  return body.exact && !body.text.slice(0, 65_536).includes("\0") ? "text" : "binary";
}

/** Tabs for the shape, the one to begin with first. */
export function tabsFor(shape: Shape): PayloadTab[] {
  switch (shape) {
    case "json":
      return ["pretty", "raw", "hex"];
    case "form":
      return ["form", "raw", "hex"];
    case "multipart":
      return ["parts", "raw", "hex"];
    case "text":
      return ["raw", "hex"];
    case "binary":
      return ["hex", "raw"];
  }
}
